/** What the connections of a server share: the objects of the moment, the switches, the transcript. */
import type { SecureContextOptions } from 'node:tls';
import type { LdifEntry } from '../ldif.js';
import type { Users } from './bind.js';
import type { Discards } from './cookies.js';
import type { Loader } from './load.js';
import { DEFAULT_QUIRKS, type Quirks } from './quirks.js';
import type { Store } from './store.js';
import type { Controller, Forest } from './topology.js';
import type { Operation } from './transcript.js';

export class ServerState {
  quirks: Quirks = DEFAULT_QUIRKS;
  store: Store;
  readonly transcript: Operation[] = [];
  readonly discards: Discards = { count: 0 };

  constructor(
    readonly forest: Forest,
    readonly controller: Controller,
    readonly users: Users,
    readonly tls: SecureContextOptions | null,
    private readonly loader: Loader,
    entries: readonly LdifEntry[],
  ) {
    this.store = loader.load(entries);
  }

  get usn(): number {
    return this.loader.usn;
  }

  load(entries: readonly LdifEntry[]): void {
    this.store = this.loader.load(entries);
  }
}
