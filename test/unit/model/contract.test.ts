import assert from 'node:assert/strict';
import { canonicalJson, digestOf } from '../../../engine/model/canonical.js';
import { ContractError, DirectorySyncError, StoppedError, asDirectorySyncError } from '../../../engine/model/errors.js';
import { RunLedger } from '../../../engine/model/ledger.js';
import {
  batchMessage,
  parseEnrichedMessage,
  parseExtractedMessage,
  sealMessage,
} from '../../../engine/model/message.js';
import { type User, noRecords } from '../../../engine/model/records.js';
import type { Run, Seal } from '../../../engine/model/run.js';

const run: Run = {
  id: 'run-00000001',
  source: 'example',
  mode: 'full',
  startedAt: '2026-01-01T00:00:00.000Z',
  batch: 0,
};
const user: User = {
  kind: 'user',
  id: '00000000-0000-0000-0000-000000000001',
  dn: 'CN=Ann,DC=example,DC=test',
  sid: null,
  name: 'Ann',
  primary: 'ann@example.com',
  aliases: [],
  attributes: {},
  enabled: true,
};
const seal: Seal = {
  kind: 'seal',
  batches: 3,
  records: noRecords(),
  complete: true,
  incomplete: [],
  proof: null,
  token: null,
  stages: [],
};

describe('messages of a run', () => {
  it('numbers batches as Split and Join do, and counts them only in the seal', () => {
    const batch = batchMessage(run, 2, [user]);
    assert.deepEqual(batch.parts, { id: run.id, index: 2, type: 'array', len: 1 });
    assert.equal(batch.run.batch, 2);
    assert.deepEqual(sealMessage(run, seal).parts, { id: run.id, index: 3, type: 'array', len: 1, count: 4 });
  });

  it('survives JSON, so that a broker may carry it', () => {
    for (const message of [batchMessage(run, 0, [user]), sealMessage(run, seal)]) {
      assert.deepEqual(parseEnrichedMessage(JSON.parse(JSON.stringify(message))), message);
    }
  });

  it('refuses a message that belongs to no run, and says what to wire', () => {
    for (const message of [undefined, {}, { payload: [] }, { topic: 'batch', payload: [] }, { run, topic: 'other' }]) {
      assert.throws(
        () => parseEnrichedMessage(message),
        (error) =>
          error instanceof ContractError && error.code === 'NOT_A_RUN' && error.message.includes('directory-extract'),
      );
    }
  });

  it('names the place of a fault, never the value', () => {
    const spoiled = { ...batchMessage(run, 0, [user]), payload: [{ ...user, primary: 42, name: 'Secret Name' }] };
    assert.throws(
      () => parseEnrichedMessage(spoiled),
      (error) =>
        error instanceof ContractError && error.message.includes('/0') && !error.message.includes('Secret Name'),
    );
  });

  it('looks at every attribute, whatever its name', () => {
    for (const name of ['title', 'a\nb', '', '__proto__']) {
      const attributes = Object.fromEntries([[name, 42]]);
      const spoiled = { ...batchMessage(run, 0, [user]), payload: [{ ...user, attributes }] };
      assert.throws(() => parseEnrichedMessage(spoiled), ContractError, JSON.stringify(name));
      const good = { ...user, attributes: Object.fromEntries([[name, ['text', { base64: 'AA==' }]]]) };
      assert.equal(parseEnrichedMessage(batchMessage(run, 0, [good])).topic, 'batch');
    }
  });

  it('tells extracted from enriched records', () => {
    const extracted = { kind: 'user', id: user.id, dn: user.dn, attributes: { mail: ['ann@example.com'] } };
    assert.equal(parseExtractedMessage(batchMessage(run, 0, [extracted])).topic, 'batch');
    assert.throws(() => parseEnrichedMessage(batchMessage(run, 0, [extracted])), ContractError);
  });
});

describe('ledger', () => {
  it('finds the batch that did not arrive, whatever the order', () => {
    const ledger = new RunLedger(run);
    assert.ok(ledger.note(2, [user]));
    assert.ok(ledger.note(0, [user]));
    assert.ok(!ledger.note(2, [user]), 'a repeat is told apart');
    assert.equal(ledger.records.user, 2);
    assert.deepEqual(ledger.missing(3), [1]);
    const sealed = ledger.checked(seal);
    assert.equal(sealed.complete, false);
    assert.equal(sealed.incomplete[0]?.code, 'BATCH_MISSING');
  });

  it('leaves the seal alone when every batch is there', () => {
    const ledger = new RunLedger(run);
    for (const index of [1, 0, 2]) ledger.note(index, []);
    assert.equal(ledger.checked(seal), seal);
  });
});

describe('canonical JSON', () => {
  it('does not depend on the order of keys, but on that of lists', () => {
    assert.equal(canonicalJson({ b: 1, a: { d: [2, 1], c: null } }), '{"a":{"c":null,"d":[2,1]},"b":1}');
    assert.equal(digestOf({ a: 1, b: 2 }), digestOf({ b: 2, a: 1 }));
    assert.notEqual(digestOf([1, 2]), digestOf([2, 1]));
  });
});

describe('errors', () => {
  it('keeps those of the taxonomy and gives a code to all others', () => {
    const stopped = new StoppedError();
    assert.equal(asDirectorySyncError(stopped), stopped);
    const other = asDirectorySyncError(new TypeError('boom'));
    assert.ok(other instanceof DirectorySyncError);
    assert.equal(other.code, 'UNEXPECTED');
    assert.ok(other.cause instanceof TypeError);
  });
});

describe('ledger, where a run took two ways', () => {
  it('is incomplete when one number came with different records, and not when the same came twice', () => {
    const other: User = { ...user, id: '00000000-0000-0000-0000-000000000002' };
    const ledger = new RunLedger(run);
    for (const index of [0, 1, 2]) ledger.note(index, [user]);
    ledger.note(1, [user]);
    assert.equal(ledger.checked(seal), seal, 'a repeat says nothing new');
    ledger.note(1, [other]);
    assert.deepEqual(
      ledger.checked(seal).incomplete.map(({ code }) => code),
      ['BATCH_TWICE'],
    );
  });
});
