/**
 * The protocol as an OpenAPI 3.1 description, made of the schemas that both sides use (docs/openapi.json is this, written
 * out), and the check of an exchange against it.
 */
import assert from 'node:assert/strict';
import { type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { EnrichedRecord } from '../../engine/model/records.js';
import { closed } from '../../engine/transport/closed.js';
import { PROBLEMS, Problem, type ProblemName, problemName } from '../../engine/transport/problem.js';
import {
  BATCH_TYPE,
  BatchAnswer,
  JSON_TYPE,
  METHOD,
  OpenAnswer,
  OpenRequest,
  PROBLEM_TYPE,
  type Route,
  SealRequest,
  StateAnswer,
  routesAt,
} from '../../engine/transport/protocol.js';

interface Operation {
  readonly path: string;
  readonly summary: string;
  readonly content: { readonly type: string; readonly schema: TSchema } | null;
  /** By status; null: without content. */
  readonly answers: Readonly<Record<number, TSchema | null>>;
  readonly problems: readonly ProblemName[];
}

const ALWAYS: readonly ProblemName[] = [
  'signature-refused',
  'signature-stale',
  'signature-replayed',
  'token-refused',
  'too-many-requests',
  'too-many-refusals',
  'stopping',
  'internal',
];
const OF_CONTENT: readonly ProblemName[] = [
  'not-valid',
  'digest-mismatch',
  'media-type',
  'too-large',
  'too-slow',
  'busy',
];
const OF_A_RUN: readonly ProblemName[] = ['run-unknown', 'not-your-run'];

export const OPERATIONS: Readonly<Record<Route['name'], Operation>> = {
  open: {
    path: '/v1/runs',
    summary: 'Open a run',
    content: { type: JSON_TYPE, schema: closed(OpenRequest) },
    answers: { 201: OpenAnswer },
    problems: [...ALWAYS, ...OF_CONTENT, 'run-differs', 'not-your-run', 'source-refused', 'too-many-runs'],
  },
  batch: {
    path: '/v1/runs/{run}/batches/{batch}',
    summary: 'Store a batch: NDJSON, one record of the schema in each line',
    content: { type: BATCH_TYPE, schema: closed(EnrichedRecord) },
    answers: { 200: BatchAnswer },
    problems: [...ALWAYS, ...OF_CONTENT, ...OF_A_RUN, 'run-sealed', 'batch-differs'],
  },
  seal: {
    path: '/v1/runs/{run}/seal',
    summary: 'Hand the run over',
    content: { type: JSON_TYPE, schema: closed(SealRequest) },
    answers: { 200: StateAnswer, 202: StateAnswer },
    problems: [...ALWAYS, ...OF_CONTENT, ...OF_A_RUN, 'batches-missing', 'seal-differs', 'run-sealed', 'run-failed'],
  },
  state: {
    path: '/v1/runs/{run}',
    summary: 'Ask where a run stands',
    content: null,
    answers: { 200: StateAnswer },
    problems: [...ALWAYS, ...OF_A_RUN],
  },
  abandon: {
    path: '/v1/runs/{run}',
    summary: 'Give a run up',
    content: null,
    answers: { 204: null },
    problems: [...ALWAYS, ...OF_A_RUN, 'run-sealed'],
  },
};

const SCHEMAS = { OpenRequest, OpenAnswer, EnrichedRecord, BatchAnswer, SealRequest, StateAnswer, Problem };

/** The whole description, as plain JSON. */
export function description(version: string): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    const at = (paths[operation.path] ??= { parameters: parametersOf(operation.path) });
    at[METHOD[name as Route['name']].toLowerCase()] = operationOf(name, operation);
  }
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'Directory sync: sender to receiver',
      version,
      summary: 'How a run is handed from a sender to a receiver. docs/protocol.md says what each part means.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [
      { url: 'https://{receiver}/directory-sync', variables: { receiver: { default: 'receiver.example:8443' } } },
    ],
    security: [{ signature: [] }, { bearer: [] }, { certificate: [] }],
    paths,
    components: {
      securitySchemes: {
        signature: {
          type: 'apiKey',
          in: 'header',
          name: 'Signature',
          description: 'HTTP Message Signatures (RFC 9421) with hmac-sha256; docs/protocol.md says what they cover.',
        },
        bearer: { type: 'http', scheme: 'bearer' },
        certificate: { type: 'mutualTLS' },
      },
      schemas: {
        ...SCHEMAS,
        OpenRequest: closed(OpenRequest),
        SealRequest: closed(SealRequest),
        EnrichedRecord: closed(EnrichedRecord),
      },
    },
  };
  return JSON.parse(JSON.stringify(document));
}

function parametersOf(path: string): unknown[] {
  const schemas: Record<string, TSchema> = {
    run: Type.String({ pattern: '^[A-Za-z0-9_-]{8,64}$' }),
    batch: Type.Integer({ minimum: 0, maximum: 9_999_999 }),
  };
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: schemas[name],
  }));
}

function operationOf(name: string, { summary, content, answers, problems }: Operation): unknown {
  const digest = { name: 'Content-Digest', in: 'header', required: true, schema: { type: 'string' } };
  const encoding = { name: 'Content-Encoding', in: 'header', schema: { enum: ['gzip', 'br', 'zstd'] } };
  const reference = (schema: TSchema) => ({ $ref: `#/components/schemas/${schemaName(schema)}` });
  const problem = (status: number) => ({
    description: problems
      .filter((one) => PROBLEMS[one][0] === status)
      .map((one) => `\`${one}\`: ${PROBLEMS[one][1]}`)
      .join('; '),
    content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
  });
  const statuses = [...new Set(problems.map((one) => PROBLEMS[one][0]))].sort((left, right) => left - right);
  return {
    operationId: name,
    summary,
    ...(content && {
      parameters: content.type === BATCH_TYPE ? [digest, encoding] : [digest],
      requestBody: { required: true, content: { [content.type]: { schema: reference(content.schema) } } },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, schema]) => [
          status,
          { description: summary, ...(schema && { content: { [JSON_TYPE]: { schema: reference(schema) } } }) },
        ]),
      ),
      ...Object.fromEntries(statuses.map((status) => [status, problem(status)])),
    },
  };
}

function schemaName(schema: TSchema): string {
  const plain = (one: TSchema) => JSON.stringify(closed(one));
  return (
    Object.entries(SCHEMAS).find(([, one]) => plain(one) === plain(schema))?.[0] ?? assert.fail('a schema without name')
  );
}

/** Asserts that an answer is one that the description has for what was asked. `path` is below the base path. */
export function checkExchange(
  asked: { readonly method: string; readonly path: string },
  answered: { readonly status: number; readonly type: string | undefined; readonly body: unknown },
): void {
  const { status, type, body } = answered;
  const what = `${asked.method} ${asked.path}: ${String(status)}`;
  const route = routesAt(asked.path).find(({ name }) => METHOD[name] === asked.method);
  if (status >= 400) {
    if (asked.method === 'HEAD' || type === undefined) return;
    assert.equal(type, PROBLEM_TYPE, what);
    assert.ok(Value.Check(Problem, body), what);
    const name = problemName(body.type) ?? assert.fail(`${what}: ${body.type} is in no list`);
    assert.deepEqual([body.status, PROBLEMS[name][0]], [status, status], what);
    const general = ['not-found', 'method-not-allowed', 'signature-refused', 'token-refused', 'too-many-refusals'];
    assert.ok(general.includes(name) || (route && OPERATIONS[route.name].problems.includes(name)), `${what} ${name}`);
    return;
  }
  assert.ok(route, `${what} at no route`);
  const { answers } = OPERATIONS[route.name];
  assert.ok(status in answers, `${what} is not described`);
  const schema = answers[status];
  if (schema) {
    assert.equal(type, JSON_TYPE, what);
    assert.ok(Value.Check(schema, body), `${what}: ${JSON.stringify([...Value.Errors(schema, body)][0])}`);
  }
}
