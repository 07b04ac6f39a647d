/** Config node: where an account is kept, and its rules. Opens it when first needed; all apply nodes share it. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { type Account, type PreparedAccount, prepareAccount } from '../../engine/account/account.js';
import { DirectorySyncError, StoppedError } from '../../engine/model/errors.js';
import { dataFolder } from '../shared/folder.js';
import { accounts, tlsOptions } from '../shared/offers.js';
import { runNode } from '../shared/wrap.js';
import { type AccountCredentials, accountSettings } from './settings.js';

export = function (RED: NodeAPI): void {
  function DirectoryAccount(this: Node<AccountCredentials>, config: NodeDef) {
    RED.nodes.createNode(this, config);
    const settings = () =>
      accountSettings(config, {
        id: this.id,
        folder: dataFolder(RED),
        credentials: this.credentials,
        tlsOptions: (id) => tlsOptions(RED, id),
      });
    let account: Promise<Account> | undefined;
    let prepared: PreparedAccount | null = null;
    const open = () => {
      const ready = prepared ?? prepareAccount(settings());
      prepared = null;
      return ready.open();
    };

    runNode(RED, this, (life) => {
      accounts.make(this, async (work) => {
        if (life.signal.aborted) throw new StoppedError();
        const shared = (account ??= open());
        try {
          return await work(await shared);
        } catch (error) {
          // What could not be opened, or has lost its thread or its file, is not kept: the next run opens it anew.
          if (account === shared && (await unusable(shared, error))) account = undefined;
          throw error;
        }
      });
      const { store } = settings();
      if (store.kind === 'postgres' && store.tls === null) this.warn(RED._('directory-account.warning.plain'));
      prepared = prepareAccount(settings());
      return {
        async close() {
          await prepared?.close();
          await (await account?.catch(() => undefined))?.close();
        },
      };
    });
  }
  RED.nodes.registerType<Node<AccountCredentials>, NodeDef, object, AccountCredentials>(
    'directory-account',
    DirectoryAccount,
    { credentials: { user: { type: 'text' }, password: { type: 'password' } } },
  );
};

/** The thread is gone, or what it holds open is no longer the account's file. */
const LOST: ReadonlySet<string> = new Set(['WORKER_LOST', 'STORE_REPLACED']);

async function unusable(account: Promise<Account>, error: unknown): Promise<boolean> {
  const open = await account.catch(() => null);
  if (open === null) return true;
  if (!(error instanceof DirectorySyncError) || !LOST.has(error.code)) return false;
  await open.close();
  return true;
}
