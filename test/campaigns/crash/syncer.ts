/**
 * The sync as a program, quick to start: reads a directory over LDAP, enriches, stages and applies, once for each line on
 * standard input. `node syncer.js '<Work as JSON>'`
 */
import { createInterface } from 'node:readline';
import { type AccountSettings, openAccount } from '../../../engine/account/account.js';
import type { DirectorySettings } from '../../../engine/ldap/settings.js';
import { syncInto } from '../../support/whole-sync.js';

export interface Work {
  readonly account: AccountSettings;
  readonly directory: DirectorySettings;
}

async function main({ account: settings, directory }: Work): Promise<void> {
  const account = await openAccount(settings);
  console.log('opened');
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== 'run') break;
    try {
      const { report, failure } = await syncInto(account, directory, ['title']);
      console.log(`reported ${report.outcome} ${String(report.complete)} ${failure?.code ?? ''}`);
    } catch (error) {
      console.log(`failed ${String(error)}`);
    }
  }
  await account.close();
}

void main(JSON.parse(process.argv[2] ?? '{}') as Work);
