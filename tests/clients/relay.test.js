// Relay's compiler on our schema; and what it persisted, executed by a shop that executes nothing
// else.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { promisify } from 'node:util';

import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import WebSocket from 'ws';

import { next, trustedUrl } from './support.js';

const run = promisify(execFile);
const here = (path) => new URL(path, import.meta.url);
const json = (path) => JSON.parse(readFileSync(here(path), 'utf8'));

before(async () => {
  // The compiler adds to what it finds.
  rmSync(here('.made/relay'), { recursive: true, force: true });
  mkdirSync(here('.made/relay'), { recursive: true });
  writeFileSync(here('.made/trusted.json'), '{}');
  const compiler = here('node_modules/relay-compiler/cli.js').pathname;
  await run(process.execPath, [compiler, 'relay.config.json'], { cwd: here('relay') });
});

/** The hash of the only document with this operation. */
function idOf(operation) {
  const documents = Object.entries(json('relay/trusted.json'));
  const declared = new RegExp(`^\\w+ ${operation}\\b`);
  const [[id]] = documents.filter(([, text]) => declared.test(text));
  return id;
}

async function ask(body) {
  const response = await fetch(trustedUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, ...(await response.json()) };
}

test('connections, refetchable fragments, mutations and subscriptions compile', () => {
  const artifact = readFileSync(here('.made/relay/shopItemsPageQuery.graphql.js'), 'utf8');
  assert.match(artifact, /"connection"|shop_items/);
  assert.equal(Object.keys(json('.made/trusted.json')).length, 7);
});

test('the list of trusted documents is what the compiler persists', () => {
  assert.deepEqual(json('relay/trusted.json'), json('.made/trusted.json'));
});

const skip = trustedUrl ? false : 'FIRSTCOME_TRUSTED_URL is not set';

test('a trusted document is executed by its hash', { skip }, async () => {
  const first = await ask({ documentId: idOf('shopItemsQuery'), variables: { first: 1 } });
  assert.equal(first.status, 200, JSON.stringify(first));
  const { edges, pageInfo } = first.data.items;
  const variables = { first: 1, after: pageInfo.endCursor };
  const sha256Hash = idOf('shopItemsQuery');
  const extensions = { persistedQuery: { version: 1, sha256Hash } };
  const second = await ask({ extensions, variables });
  assert.notEqual(second.data.items.edges[0].node.id, edges[0].node.id);
  const { id } = edges[0].node;
  const node = await ask({ documentId: `sha256:${idOf('shopNodeQuery')}`, variables: { id } });
  assert.equal(node.data.node.__typename, 'Item');
});

test('nothing else is executed', { skip }, async () => {
  const query = '{ serverTime }';
  const known = json('relay/trusted.json')[idOf('shopOrdersQuery')];
  for (const body of [{ query }, { documentId: 'sha256:00' }, { query: known }]) {
    const { status, data, errors } = await ask(body);
    assert.equal(status, 400);
    assert.equal(data, undefined);
    assert.equal(errors[0].extensions.code, 'DOCUMENT_NOT_TRUSTED');
  }
});

test('trusted documents over event streams and sockets', { skip }, async () => {
  const id = idOf('shopItemsQuery');
  const found = await ask({ documentId: id, variables: { first: 1 } });
  const variables = { itemIds: [found.data.items.edges[0].node.id] };
  const sse = createSseClient({ url: trustedUrl });
  const socket = createSocketClient({
    url: trustedUrl.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
  });
  const documentId = idOf('shopStockSubscription');
  const extensions = { persistedQuery: { version: 1, sha256Hash: documentId } };
  for (const client of [sse, socket]) {
    const events = client.iterate({ query: '', extensions, variables });
    assert.ok((await next(events)).data.stockChanged.stock);
    await events.return();
    await client.dispose();
  }
});
