/** A program that the crash tests kill: it opens an account, says so, and applies a run to it. `node applier.js <what as JSON>` */
import { openAccount, type AccountSettings } from '../../../../engine/account/account.js';
import type { EnrichedRecord } from '../../../../engine/model/records.js';
import type { Run, Seal } from '../../../../engine/model/run.js';

interface Work {
  settings: AccountSettings;
  run: Run;
  seal: Seal;
  batches: EnrichedRecord[][];
}

/** The work comes on standard input, each step done is a line on standard output. */
async function main(): Promise<void> {
  process.stdin.setEncoding('utf8');
  let text = '';
  for await (const chunk of process.stdin) text += String(chunk);
  const { settings, run, seal, batches } = JSON.parse(text) as Work;
  const account = await openAccount(settings);
  console.log('open');
  for (const [index, batch] of batches.entries()) await account.stage(run, index, batch);
  console.log('staged');
  const report = await account.apply(run, seal, { dryRun: false });
  console.log(`applied ${report.outcome}`);
  await account.close();
}

main().catch((error: unknown) => {
  console.log(`failed ${(error as { code?: string }).code ?? ''} ${(error as Error).message}`);
  process.exitCode = 1;
});
