// The public audits of GraphQL over HTTP, each a test: MUST, SHOULD and MAY alike.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { serverAudits } from 'graphql-http';

import { url } from './support.js';

for (const audit of serverAudits({ url })) {
  test(`${audit.id}: ${audit.name}`, async () => {
    const result = await audit.fn();
    assert.equal(result.status, 'ok', result.reason);
  });
}
