/** Config node: where an account is kept, and its rules. Opens it when first needed; all apply nodes share it. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { type Account, type AccountSettings, openAccount } from '../../engine/account/account.js';
import { StoppedError } from '../../engine/model/errors.js';
import { dataFolder } from '../shared/folder.js';
import { accounts } from '../shared/offers.js';
import { runNode } from '../shared/wrap.js';
import { accountSettings } from './settings.js';

export = function (RED: NodeAPI): void {
  function DirectoryAccount(this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
    const settings = () => accountSettings(config, this.id, dataFolder(RED));
    let account: Promise<Account> | undefined;

    runNode(RED, this, (life) => {
      accounts.make(this, () => {
        if (life.signal.aborted) return Promise.reject(new StoppedError());
        // A failure is not kept: the next run tries again, when the disk is writable or the other process has gone.
        account ??= opened(settings()).catch((error: unknown) => {
          account = undefined;
          throw error;
        });
        return account;
      });
      settings();
      return { close: async () => (await account?.catch(() => undefined))?.close() };
    });
  }
  RED.nodes.registerType('directory-account', DirectoryAccount);
};

async function opened(settings: AccountSettings): Promise<Account> {
  await mkdir(dirname(settings.store.file), { recursive: true });
  return openAccount(settings);
}
