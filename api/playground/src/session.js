// Remembers, while the page is open, the access token that the last `signIn` or `refreshSession`
// answered, and sends it where the headers tab has no `Authorization`.

const authorized = (headers) =>
  Object.keys(headers).some((name) => name.toLowerCase() === "authorization");

const tokenIn = (answer) =>
  Object.values(answer?.data ?? {})
    .map((payload) => payload?.session?.accessToken)
    .find((token) => typeof token === "string");

export function fetcherWithSession(fetcher) {
  let token;
  return async (request, options = {}) => {
    const headers = { ...options.headers };
    if (token && !authorized(headers)) {
      headers.Authorization = `Bearer ${token}`;
    }
    const answer = await fetcher(request, { ...options, headers });
    token = tokenIn(answer) ?? token;
    return answer;
  };
}
