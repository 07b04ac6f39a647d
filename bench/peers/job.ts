/** What every client of the comparison is asked to read, given to it in one environment variable as JSON. */

export interface ReadJob {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly base: string;
  readonly filter: string;
  readonly attributes: string[];
  readonly pageSize: number;
}

/** The name of the environment variable. */
export const JOB = 'READ_JOB';

/** The job of this process, as the bench wrote it. No schema: to load a checker would be measured, too. */
export function readJob(): ReadJob {
  return JSON.parse(process.env[JOB] ?? 'null') as ReadJob;
}

/** What a client that runs on Node.js says of itself, as one line of JSON. */
export interface ClientFigures {
  readonly entries: number;
  readonly peakMegabytes: number;
  /** Delay of the event loop, 99.9th percentile and maximum, in milliseconds. */
  readonly loopP999: number;
  readonly loopMax: number;
}
