/** What every client of the comparison is asked to read, given to it in one environment variable as JSON. */
import { type Static, Type } from '@sinclair/typebox';
import { contractFault, parserOf } from '../../engine/model/check.js';

export const ReadJob = Type.Object({
  host: Type.String(),
  port: Type.Integer(),
  user: Type.String(),
  password: Type.String(),
  base: Type.String(),
  filter: Type.String(),
  attributes: Type.Array(Type.String()),
  pageSize: Type.Integer(),
});
export type ReadJob = Static<typeof ReadJob>;

/** The name of the environment variable. */
export const JOB = 'READ_JOB';

/** The job of this process. */
export function readJob(): ReadJob {
  return parserOf(ReadJob, contractFault(JOB))(JSON.parse(process.env[JOB] ?? 'null'));
}

/** What a client that runs on Node.js says of itself, as one line of JSON. */
export interface ClientFigures {
  readonly entries: number;
  readonly peakMegabytes: number;
  /** Delay of the event loop, 99.9th percentile and maximum, in milliseconds. */
  readonly loopP999: number;
  readonly loopMax: number;
}
