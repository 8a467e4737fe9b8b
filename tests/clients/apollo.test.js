// Apollo Client: queries and mutations over HTTP, subscriptions over graphql-ws, documents by their
// hashes.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

import { follow, newItem, next, oneOf, signIn, socketUrl, url } from './support.js';

const client = (link) => new ApolloClient({ link, cache: new InMemoryCache() });

const ITEM = gql`
  query Item($id: ID!) {
    item(id: $id) {
      id
      name
      price {
        amount
        currencyCode
      }
      stock {
        available
      }
    }
  }
`;

const PLACE_ORDER = gql`
  mutation PlaceOrder($input: PlaceOrderInput!) {
    placeOrder(input: $input) {
      order {
        id
        state
      }
      userErrors {
        code
        message
        ... on OutOfStock {
          available
        }
      }
    }
  }
`;

const STOCK = gql`
  subscription Stock($itemIds: [ID!]!) {
    stockChanged(itemIds: $itemIds) {
      itemId
      stock {
        available
      }
    }
  }
`;

test('a query, and a mutation with a token', async () => {
  const id = await newItem();
  const token = await signIn('customer');
  const apollo = client(new HttpLink({ uri: url, headers: { authorization: `Bearer ${token}` } }));
  const { data } = await apollo.query({ query: ITEM, variables: { id } });
  assert.deepEqual(
    { ...data.item.price, name: data.item.name },
    { __typename: 'Money', amount: '12.50', currencyCode: 'EUR', name: 'A mug' },
  );
  const placed = await apollo.mutate({ mutation: PLACE_ORDER, variables: oneOf(id) });
  assert.equal(placed.data.placeOrder.order.state, 'ACCEPTED');
});

test('a refusal is data, a request error is an error', async () => {
  const id = await newItem();
  const apollo = client(new HttpLink({ uri: url }));
  const { data } = await apollo.mutate({ mutation: PLACE_ORDER, variables: oneOf(id) });
  assert.equal(data.placeOrder.order, null);
  assert.equal(data.placeOrder.userErrors[0].code, 'UNAUTHENTICATED');
  const wrong = apollo.query({ query: gql`{ nothing }` });
  await assert.rejects(wrong, (error) => {
    assert.ok(CombinedGraphQLErrors.is(error), String(error));
    assert.equal(error.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
    return true;
  });
});

test('a subscription over graphql-ws', async () => {
  const id = await newItem();
  const token = await signIn('customer');
  const socket = createClient({
    url: socketUrl,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
  });
  const apollo = client(new GraphQLWsLink(socket));
  const stock = apollo.subscribe({ query: STOCK, variables: { itemIds: [id] } });
  const events = follow((take) => stock.subscribe({ next: take, error: take }));
  assert.equal((await next(events)).data.stockChanged.stock.available, 10);
  await apollo.mutate({ mutation: PLACE_ORDER, variables: oneOf(id) });
  assert.equal((await next(events)).data.stockChanged.stock.available, 9);
  await events.return();
  await socket.dispose();
});

test('documents by their hashes: unknown, sent once, known', async () => {
  const id = await newItem();
  const sent = [];
  const http = new HttpLink({
    uri: url,
    fetch: (uri, options) => {
      const parameters = options.body ? JSON.parse(options.body) : {};
      sent.push('query' in parameters || new URL(uri).searchParams.has('query'));
      return fetch(uri, options);
    },
  });
  const sha256 = (text) => createHash('sha256').update(text).digest('hex');
  // As nobody has asked it before.
  const query = gql(`query Item${Date.now()}($id: ID!) { item(id: $id) { id name } }`);
  for (const useGETForHashedQueries of [false, true]) {
    const apollo = client(new PersistedQueryLink({ sha256, useGETForHashedQueries }).concat(http));
    const { data } = await apollo.query({ query, variables: { id } });
    assert.equal(data.item.name, 'A mug');
  }
  assert.deepEqual(sent, [false, true, false]);
});
