/** The requests of a small run, signed; and how to sign others. */
import { gzipSync } from 'node:zlib';
import type { User } from '../../../engine/model/records.js';
import { writeBatch } from '../../../engine/transport/batch.js';
import { BATCH_TYPE, JSON_TYPE } from '../../../engine/transport/protocol.js';
import { type SharedKey, contentDigest, sign } from '../../../engine/transport/signature.js';
import { KEY, PATH } from '../../unit/transport/keys.js';

export interface Asking {
  readonly method: string;
  /** Below the base path. */
  readonly path: string;
  readonly content?: Buffer;
  readonly type?: string;
  readonly encoding?: string;
}

export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly content: Buffer | undefined;
}

/** A request, signed for `host`. */
export function signed(host: string, asking: Asking, key: SharedKey = KEY, at?: number): SignedRequest {
  const { method, content, type = JSON_TYPE, encoding } = asking;
  const path = PATH + asking.path;
  const fields: Record<string, string> = content
    ? {
        'Content-Type': type,
        ...(encoding !== undefined && { 'Content-Encoding': encoding }),
        'Content-Digest': contentDigest(content),
      }
    : {};
  const lower = new Map(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]));
  const signature = sign({ method, authority: host, path, fields: lower }, key, at);
  return { method, path, content, headers: { Host: host, ...fields, ...signature } };
}

export function person(number: number): User {
  const text = String(number).padStart(6, '0');
  return {
    kind: 'user',
    id: `00000000-0000-4000-8000-000000${text}`,
    dn: `CN=Person ${text},DC=example,DC=test`,
    sid: null,
    name: `Person ${text}`,
    primary: `p${text}@example.test`,
    aliases: [],
    attributes: { title: ['Engineer'] },
    enabled: true,
  };
}

export function batchesOfRun(batches: number, each: number): User[][] {
  return Array.from({ length: batches }, (_, batch) =>
    Array.from({ length: each }, (_, at) => person(batch * each + at)),
  );
}

/** The requests of a whole run, in order: open, each batch, seal. */
export function requestsOf(id: string, batches: readonly User[][]): Asking[] {
  const written = batches.map((records) => ({ ...writeBatch(records), records: records.length }));
  const count = batches.flat().length;
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const run = { id, source: 'example.test', mode: 'full', startedAt: '2026-01-01T00:00:00.000Z' };
  const seal = {
    kind: 'seal',
    batches: batches.length,
    records: { user: count, contact: 0, group: 0, 'dynamic-group': 0, members: 0, quarantined: 0 },
    complete: true,
    incomplete: [],
    proof: null,
    token: null,
    stages: [],
  };
  return [
    { method: 'POST', path: '/v1/runs', content: json({ run }) },
    ...written.map(({ content }, batch) => ({
      method: 'PUT',
      path: `/v1/runs/${id}/batches/${String(batch)}`,
      content: gzipSync(content),
      type: BATCH_TYPE,
      encoding: 'gzip',
    })),
    {
      method: 'POST',
      path: `/v1/runs/${id}/seal`,
      content: json({ batches: written.map(({ digest, records }, batch) => ({ batch, digest, records })), seal }),
    },
  ];
}

export function contentOf(batches: readonly User[][]): string {
  return writeBatch(batches.flat()).content.toString();
}
