import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { PROBLEMS } from '../../../engine/transport/problem.js';
import { OPERATIONS, checkExchange, description } from '../../support/openapi.js';

const ROOT = resolve(__dirname, '..', '..', '..', '..');
const FILE = resolve(ROOT, 'docs', 'openapi.json');

describe('docs/openapi.json', () => {
  it('is what the schemas say (UPDATE_OPENAPI=1 writes it anew)', () => {
    const { version } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')) as { version: string };
    const made = description(version);
    if (process.env['UPDATE_OPENAPI'] !== undefined) writeFileSync(FILE, `${JSON.stringify(made, null, 2)}\n`);
    const same = isDeepStrictEqual(JSON.parse(readFileSync(FILE, 'utf8')), made);
    assert.ok(
      same,
      'The schemas have changed: run UPDATE_OPENAPI=1 npm test, and look at what changes in docs/openapi.json.',
    );
  });

  it('has every problem of the list at some route, or for what is no route', () => {
    const described = new Set(Object.values(OPERATIONS).flatMap(({ problems }) => problems));
    const rest = Object.keys(PROBLEMS).filter((name) => !described.has(name as keyof typeof PROBLEMS));
    assert.deepEqual(rest, ['not-found', 'method-not-allowed']);
  });

  it('refuses an answer that is not described (the control of every exchange that the tests make)', () => {
    const asked = { method: 'GET', path: '/v1/runs/some-run-1' };
    const state = { run: 'some-run-1', state: 'open', stored: [], report: null, failure: null };
    const answered = { status: 200, type: 'application/json', body: state };
    checkExchange(asked, answered);
    const wrong = [
      { ...answered, status: 201 },
      { ...answered, type: 'text/html' },
      { ...answered, body: { ...state, state: 'lost' } },
      {
        status: 404,
        type: 'application/problem+json',
        body: { type: 'urn:dirflow:problem:nobody-knows', title: '', status: 404 },
      },
      {
        status: 422,
        type: 'application/problem+json',
        body: { type: 'urn:dirflow:problem:batch-differs', title: '', status: 422 },
      },
    ];
    for (const answer of wrong) assert.throws(() => checkExchange(asked, answer));
  });
});
