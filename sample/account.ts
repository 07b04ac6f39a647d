/** The sample's account, opened beside the flow: to put into it what was known before, and to look at it afterwards. */
import { existsSync } from 'node:fs';
import { type Account, openAccount } from '../engine/account/account.js';
import type { AccountSnapshot } from '../engine/account/snapshot.js';
import type { Source } from './source.js';

/** Puts into a new account what was known before its first run. */
export async function seedAccount(source: Source): Promise<void> {
  if (source.known.length === 0 || existsSync(source.account.file)) return;
  await withAccount(source, (account) => account.addKnown(source.known));
}

/** The account as it is now. */
export async function accountSnapshot(source: Source): Promise<AccountSnapshot> {
  return withAccount(source, (account) => account.snapshot());
}

async function withAccount<T>(source: Source, work: (account: Account) => Promise<T>): Promise<T> {
  const account = await openAccount(source.account.settings);
  try {
    return await work(account);
  } finally {
    await account.close();
  }
}
