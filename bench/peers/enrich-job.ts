/** What the bench of enriching and its process say to one another. */

/** The environment variable with the settings of enrich as JSON; without it, the directory is read and nothing else. */
export const ENRICH = 'ENRICH_SETTINGS';

/** One line of JSON on standard output. */
export interface EnrichFigures {
  readonly seconds: number;
  readonly objects: number;
  readonly memberships: number;
  readonly readRequests: number;
  readonly lookUpRequests: number;
  readonly peakMegabytes: number;
}
