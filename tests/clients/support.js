// What the tests share: where the shop is, and who its demo's accounts are.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

const required = (name) => {
  const value = process.env[name];
  assert.ok(value, `${name} has to be set: see README.md`);
  return value;
};

/** The endpoint: `http://127.0.0.1:8000/graphql`. */
export const url = required('FIRSTCOME_URL');

/** The same for sockets. */
export const socketUrl = url.replace(/^http/, 'ws');

/** A shop that executes trusted documents only; where there is none, its tests are skipped. */
export const trustedUrl = process.env.FIRSTCOME_TRUSTED_URL;

/** One request, without any client around it. */
export async function ask(query, variables = {}, { token, at = url } = {}) {
  const response = await fetch(at, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await response.json();
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  return answer.data;
}

const tokens = new Map();

/** An access token of one of the demo's accounts: `customer`, `seller` or `admin`. */
export function signIn(role) {
  if (!tokens.has(role)) tokens.set(role, newToken(role));
  return tokens.get(role);
}

async function newToken(role) {
  const { accounts } = JSON.parse(readFileSync(required('FIRSTCOME_ACCOUNTS'), 'utf8'));
  const { email, password } = accounts.find((account) => account.role === role);
  const document = `mutation ($input: SignInInput!) {
    signIn(input: $input) { session { accessToken } userErrors { code message } }
  }`;
  const { signIn } = await ask(document, { input: { email, password } });
  assert.deepEqual(signIn.userErrors, []);
  return signIn.session.accessToken;
}

/** An item that anybody can order at any time, made for one test. */
export async function newItem(units = 10) {
  const token = await signIn('seller');
  const { createItem } = await ask(
    `mutation ($input: CreateItemInput!) {
      createItem(input: $input) { item { id } userErrors { code message field } }
    }`,
    {
      input: {
        idempotencyKey: randomUUID(),
        name: 'A mug',
        description: 'For a test.',
        category: 'ETC',
        price: { amount: '12.50', currencyCode: 'EUR' },
        total: units,
      },
    },
    { token },
  );
  assert.deepEqual(createItem.userErrors, []);
  return createItem.item.id;
}

/** The variables of an order of one unit. */
export const oneOf = (itemId) => ({
  input: { idempotencyKey: randomUUID(), lines: [{ itemId, quantity: 1 }] },
});

/** An async iterator's next value, which has to be there. */
export async function next(iterator) {
  const { value, done } = await iterator.next();
  assert.equal(done, false, 'the stream has ended');
  return value;
}

/** The values that a subscription gives to who takes them, one after the other. */
export async function* follow(subscribe) {
  const values = [];
  let wake = () => {};
  const subscription = subscribe((value) => {
    values.push(value);
    wake();
  });
  try {
    for (;;) {
      while (values.length === 0) await new Promise((resolve) => (wake = resolve));
      const value = values.shift();
      if (value instanceof Error) throw value;
      yield value;
    }
  } finally {
    subscription.unsubscribe();
  }
}
