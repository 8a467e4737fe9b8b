// An application's use of what the generator made: `tsc --strict` holds it against the schema.

import { createClient } from 'graphql-ws';
import { print } from 'graphql';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';

import { ItemsDocument, OrderUpdatedDocument, PlaceOrderDocument } from '../.made/codegen/graphql.js';
import type { ItemCardFragment } from '../.made/codegen/graphql.js';

declare function ask<Result, Variables>(
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
): Promise<Result>;

export async function names(): Promise<string[]> {
  const { items } = await ask(ItemsDocument, { first: 10 });
  const cards: ItemCardFragment[] = [];
  for (const edge of items?.edges ?? []) cards.push(edge.node as ItemCardFragment);
  return cards.map((card) => `${card.name}: ${card.price.amount} ${card.price.currencyCode}`);
}

export async function order(itemId: string, key: string): Promise<string> {
  const input = { idempotencyKey: key, lines: [{ itemId, quantity: 1 }] };
  const { placeOrder } = await ask(PlaceOrderDocument, { input });
  if (!placeOrder) return 'a fault';
  for (const refusal of placeOrder.userErrors) {
    if (refusal.__typename === 'OutOfStock') return `${refusal.available} are left`;
    return refusal.message;
  }
  return placeOrder.order?.state ?? 'nothing';
}

// What the schema does not have is an error here, too.
// @ts-expect-error a quantity is a number
export const wrong = () => ask(PlaceOrderDocument, { input: { idempotencyKey: 'x', lines: [{ itemId: 'x', quantity: '1' }] } });

export const watch = (url: string, orderId: string) =>
  createClient({ url }).iterate({ query: print(OrderUpdatedDocument), variables: { orderId } });
