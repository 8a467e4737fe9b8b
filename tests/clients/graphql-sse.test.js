// graphql-sse, the client of the protocol over server-sent events, in its distinct connections mode.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NetworkError, createClient } from 'graphql-sse';

import { ask, newItem, next, oneOf, signIn, url } from './support.js';

const STOCK = `subscription ($itemIds: [ID!]!) {
  stockChanged(itemIds: $itemIds) { itemId stock { available version } }
}`;
const PLACE_ORDER = `mutation ($input: PlaceOrderInput!) {
  placeOrder(input: $input) { order { id } userErrors { code } }
}`;

const connect = (headers = {}) => createClient({ url, headers, retryAttempts: 0 });

test('a query, a mutation and a subscription', async () => {
  const id = await newItem();
  const token = await signIn('customer');
  const client = connect({ authorization: `Bearer ${token}` });
  const events = client.iterate({ query: STOCK, variables: { itemIds: [id] } });
  assert.equal((await next(events)).data.stockChanged.stock.available, 10);
  const query = client.iterate({ query: '{ viewer { profile { role } } }' });
  assert.equal((await next(query)).data.viewer.profile.role, 'CUSTOMER');
  assert.deepEqual(await query.next(), { value: undefined, done: true });
  const placed = client.iterate({ query: PLACE_ORDER, variables: oneOf(id) });
  assert.deepEqual((await next(placed)).data.placeOrder.userErrors, []);
  assert.equal((await next(events)).data.stockChanged.stock.available, 9);
  await events.return();
  client.dispose();
});

test('a request error is a result', async () => {
  const client = connect();
  const { errors } = await next(client.iterate({ query: '{ nothing }' }));
  assert.equal(errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
  client.dispose();
});

test('who is not let in is told by the status', async () => {
  const client = connect({ authorization: 'Bearer forged' });
  const refused = client.iterate({ query: '{ serverTime }' });
  await assert.rejects(refused.next(), (error) => {
    assert.ok(error instanceof NetworkError, String(error));
    return error.response.status === 401;
  });
});

test('a stream in the browser’s own format, by GET', async () => {
  const id = await newItem();
  const address = new URL(url);
  address.searchParams.set('query', STOCK);
  address.searchParams.set('variables', JSON.stringify({ itemIds: [id] }));
  const closing = new AbortController();
  const response = await fetch(address, {
    headers: { accept: 'text/event-stream' },
    signal: closing.signal,
  });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes('"available":10')) {
    const { value, done } = await reader.read();
    assert.equal(done, false);
    text += value;
  }
  assert.match(text, /^(:\n\n)*event: next\ndata: \{"data":\{"stockChanged":/);
  closing.abort();
  assert.ok((await ask('{ serverTime }')).serverTime);
});
