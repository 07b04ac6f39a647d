/** Is the account as it should be? What the report says, and for the sample company what separate code computed. */
import { digestOf } from '../engine/model/canonical.js';
import type { Report } from '../engine/model/report.js';
import type { ExpectedCounts } from '../test/support/oracle/index.js';
import { accountSnapshot } from './account.js';
import type { Source } from './source.js';

export interface Verdict {
  /** Digest of the account as it is. */
  readonly account: string;
  /** Digest that it should have; null where nobody knows, or somebody who left the directory is kept. */
  readonly expected: string | null;
  /** What is not as it should be; empty where all is. */
  readonly faults: readonly string[];
}

/** `firstRun`: the account was new, so the report must count what a first run counts. */
export async function judge(source: Source, report: Report, firstRun: boolean): Promise<Verdict> {
  const faults: string[] = [];
  if (!report.complete) faults.push('the run is incomplete');
  if (report.outcome !== 'committed' && report.outcome !== 'unchanged') faults.push(`the outcome is ${report.outcome}`);

  const account = digestOf(await accountSnapshot(source));
  // Whoever left the directory is kept, so the directory as it is now does not say all that the account holds.
  const left = report.absent.users + report.absent.contacts + report.absent.groups;
  const expected = left > 0 ? null : source.expected();
  if (expected !== null && expected.digest !== account)
    faults.push(`the account should have the digest ${expected.digest}`);
  if (expected !== null && firstRun) faults.push(...countFaults(report, expected.firstRun));
  return { account, expected: expected?.digest ?? null, faults };
}

/** The verdict as lines below the report. */
export function printedVerdict({ account, expected, faults }: Verdict): string {
  const word = faults.length > 0 ? `no: ${faults.join('; ')}` : expected === null ? 'yes, by its own report' : 'yes';
  return `\n  account digest       ${account}\n  as it should be      ${word}`;
}

function countFaults(report: Report, expected: ExpectedCounts): string[] {
  const { records, setAside, groupsWithoutMail, ...changes } = expected;
  const extracted = report.stages.find(({ stage }) => stage === 'extract')?.records;
  const asides = Object.values(setAside).reduce((sum, count) => sum + count, 0);
  const pairs: [string, number | undefined, number][] = [
    ...Object.entries(changes).map(([name, count]): [string, number | undefined, number] => [
      name,
      report.changes[name as keyof typeof changes],
      count,
    ]),
    ...Object.entries(records).map(([kind, count]): [string, number | undefined, number] => [
      `extracted ${kind}`,
      extracted?.[kind as keyof typeof records],
      count,
    ]),
    ['groupsWithoutMail', report.groupsWithoutMail, groupsWithoutMail],
    ['setAside', report.setAsideCount, asides],
  ];
  return pairs
    .filter(([, counted, should]) => counted !== should)
    .map(([name, counted, should]) => `${name} is ${String(counted)} and should be ${String(should)}`);
}
