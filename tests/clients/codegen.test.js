// GraphQL Code Generator on our schema, and `tsc --strict` on what it makes.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { promisify } from 'node:util';

import { codegen } from '@graphql-codegen/core';
import { preset } from '@graphql-codegen/client-preset';
import { buildSchema, parse } from 'graphql';

import { ask } from './support.js';

const run = promisify(execFile);
const here = (path) => new URL(path, import.meta.url);
const read = (path) => readFileSync(here(path), 'utf8');

/** The wire's own types for the schema's scalars. */
const scalars = { DateTime: 'string', Decimal: 'string', UUID: 'string', Version: 'string' };

before(async () => {
  mkdirSync(here('.made/codegen'), { recursive: true });
  const sdl = read('../../schema.graphql');
  const rawSDL = read('codegen/operations.graphql');
  const files = await preset.buildGeneratesSection({
    baseOutputDir: here('.made/codegen/').pathname,
    schema: parse(sdl),
    schemaAst: buildSchema(sdl),
    documents: [{ location: 'operations.graphql', rawSDL, document: parse(rawSDL) }],
    config: { scalars, strictScalars: true, enumsAsTypes: true },
    presetConfig: {
      fragmentMasking: false,
      persistedDocuments: { hashAlgorithm: 'sha256' },
    },
    pluginMap: {},
    plugins: [],
    pluginContext: {},
  });
  for (const file of files) writeFileSync(file.filename, await codegen(file));
});

test('what it makes, and its use, pass tsc --strict', async () => {
  const tsc = here('node_modules/typescript/bin/tsc').pathname;
  await run(process.execPath, [tsc, '--project', 'codegen'], { cwd: here('.') }).catch((failed) => {
    assert.fail(failed.stdout);
  });
});

test('every operation is in its list of persisted documents, by its SHA-256', async () => {
  const persisted = Object.entries(JSON.parse(read('.made/codegen/persisted-documents.json')));
  assert.equal(persisted.length, 3);
  for (const [id, text] of persisted) {
    assert.equal(id, `sha256:${createHash('sha256').update(text).digest('hex')}`);
  }
});

test('its documents are executed', async () => {
  const persisted = JSON.parse(read('.made/codegen/persisted-documents.json'));
  const items = Object.values(persisted).find((text) => text.includes('query Items'));
  const { items: found } = await ask(items, { first: 3 });
  assert.equal(found.edges.length, 3);
});
