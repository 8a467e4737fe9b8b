// graphql-ws, the client of the WebSocket protocol's authors.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { CloseCode, createClient } from 'graphql-ws';
import WebSocket from 'ws';

import { newItem, next, oneOf, signIn, socketUrl } from './support.js';

const STOCK = `subscription ($itemIds: [ID!]!) {
  stockChanged(itemIds: $itemIds) { itemId stock { available version } }
}`;
const PLACE_ORDER = `mutation ($input: PlaceOrderInput!) {
  placeOrder(input: $input) { order { id } userErrors { code } }
}`;

const connect = (options = {}) =>
  createClient({ url: socketUrl, webSocketImpl: WebSocket, retryAttempts: 0, ...options });

test('a query, a mutation and a subscription on one socket', async () => {
  const id = await newItem();
  const token = await signIn('customer');
  let sockets = 0;
  const client = connect({
    connectionParams: { authorization: `Bearer ${token}` },
    on: { connected: () => (sockets += 1) },
  });
  const events = client.iterate({ query: STOCK, variables: { itemIds: [id] } });
  const snapshot = (await next(events)).data.stockChanged.stock;
  assert.equal(snapshot.available, 10);

  const query = client.iterate({ query: '{ viewer { profile { role } } }' });
  assert.equal((await next(query)).data.viewer.profile.role, 'CUSTOMER');
  assert.deepEqual(await query.next(), { value: undefined, done: true });
  const placed = client.iterate({ query: PLACE_ORDER, variables: oneOf(id) });
  assert.deepEqual((await next(placed)).data.placeOrder.userErrors, []);

  const changed = (await next(events)).data.stockChanged.stock;
  assert.equal(changed.available, 9);
  assert.ok(Number(changed.version) > Number(snapshot.version));
  await events.return();
  await client.dispose();
  assert.equal(sockets, 1);
});

test('a request error ends its operation and nothing else', async () => {
  const client = connect();
  const wrong = client.iterate({ query: '{ nothing }' });
  await assert.rejects(wrong.next(), ([error]) => error.extensions.code === 'GRAPHQL_VALIDATION_FAILED');
  assert.ok((await next(client.iterate({ query: '{ serverTime }' }))).data.serverTime);
  await client.dispose();
});

test('who is not let in is told by the protocol’s code', async () => {
  const client = connect({ connectionParams: { authorization: 'Bearer forged' } });
  const refused = client.iterate({ query: '{ serverTime }' });
  await assert.rejects(refused.next(), (event) => event.code === CloseCode.Forbidden);
});

test('pings are answered', async () => {
  let pong;
  const answered = new Promise((resolve) => (pong = resolve));
  const client = connect({
    lazy: false,
    keepAlive: 50,
    on: { pong: (received) => received && pong() },
  });
  await answered;
  await client.dispose();
});

test('a document by its hash', async () => {
  const query = '{ serverTime }';
  const sha256Hash = createHash('sha256').update(query).digest('hex');
  const extensions = { persistedQuery: { version: 1, sha256Hash } };
  const client = connect();
  assert.ok((await next(client.iterate({ query, extensions }))).data.serverTime);
  assert.ok((await next(client.iterate({ query: '', extensions }))).data.serverTime);
  await client.dispose();
});
