// urql: queries and mutations by fetch, subscriptions by its own reading of event streams and by
// graphql-sse.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Client, fetchExchange, gql, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-sse';

import { follow, newItem, next, oneOf, signIn, url } from './support.js';

const ITEMS = gql`
  query Items {
    items(first: 2) {
      edges {
        cursor
        node {
          id
          name
        }
      }
      pageInfo {
        hasNextPage
      }
    }
  }
`;

const PLACE_ORDER = gql`
  mutation PlaceOrder($input: PlaceOrderInput!) {
    placeOrder(input: $input) {
      order {
        id
      }
      userErrors {
        code
      }
    }
  }
`;

const STOCK = gql`
  subscription Stock($itemIds: [ID!]!) {
    stockChanged(itemIds: $itemIds) {
      stock {
        available
      }
    }
  }
`;

const signedIn = async () => ({ headers: { authorization: `Bearer ${await signIn('customer')}` } });

test('a query, also by GET, and a mutation', async () => {
  const id = await newItem();
  const fetchOptions = await signedIn();
  for (const preferGetMethod of [false, 'force']) {
    const client = new Client({ url, exchanges: [fetchExchange], preferGetMethod, fetchOptions });
    const { data, error } = await client.query(ITEMS, {});
    assert.equal(error, undefined, String(error));
    assert.equal(data.items.edges.length, 2);
    const placed = await client.mutation(PLACE_ORDER, oneOf(id));
    assert.equal(placed.error, undefined, String(placed.error));
    assert.deepEqual(placed.data.placeOrder.userErrors, []);
  }
});

test('a request error', async () => {
  const client = new Client({ url, exchanges: [fetchExchange], preferGetMethod: false });
  const { error } = await client.query(gql`{ nothing }`, {});
  assert.equal(error.graphQLErrors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
});

const sse = createClient({ url });
const graphqlSse = subscriptionExchange({
  forwardSubscription: ({ query, variables }) => ({
    subscribe: (sink) => ({ unsubscribe: sse.subscribe({ query, variables }, sink) }),
  }),
});
const transports = {
  'its own': { exchanges: [fetchExchange], fetchSubscriptions: true },
  'graphql-sse': { exchanges: [graphqlSse, fetchExchange] },
};

for (const [name, transport] of Object.entries(transports)) {
  test(`a subscription by ${name}`, async () => {
    const id = await newItem();
    const fetchOptions = await signedIn();
    const client = new Client({ url, preferGetMethod: false, fetchOptions, ...transport });
    const stock = client.subscription(STOCK, { itemIds: [id] });
    const events = follow((take) => stock.subscribe(take));
    const available = async () => {
      const { data, error } = await next(events);
      assert.equal(error, undefined, String(error));
      return data.stockChanged.stock.available;
    };
    assert.equal(await available(), 10);
    await client.mutation(PLACE_ORDER, oneOf(id));
    assert.equal(await available(), 9);
    await events.return();
  });
}
