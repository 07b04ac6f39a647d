/** What the connections of a server share: the objects of the moment as this server shows them, the switches, the transcript. */
import type { SecureContextOptions } from 'node:tls';
import type { LdifEntry } from '../ldif.js';
import type { Identity, Users } from './bind.js';
import type { Discards } from './cookies.js';
import { dnKey } from './dn.js';
import type { Holdings } from './holdings.js';
import { guidBytes } from './ids.js';
import { type Projection, isPlain, project } from './projection.js';
import { DEFAULT_QUIRKS, type Permissions, type Quirks } from './quirks.js';
import type { View } from './resultset.js';
import type { Store } from './store.js';
import type { Controller, Forest } from './topology.js';
import type { Operation } from './transcript.js';

interface Shown {
  readonly of: Store;
  readonly quirks: Quirks;
  readonly store: Store;
}

export class ServerState {
  quirks: Quirks = DEFAULT_QUIRKS;
  readonly transcript: Operation[] = [];
  readonly discards: Discards = { count: 0 };
  #identitiesTold = 0;
  /** By who is bound: made anew when objects or switches change. */
  readonly #shown = new Map<string, Shown>();

  constructor(
    readonly forest: Forest,
    readonly controller: Controller,
    readonly users: Users,
    readonly tls: SecureContextOptions | null,
    private readonly holdings: Holdings,
    /** Whether this is the Global Catalog's port. */
    readonly catalog = false,
  ) {}

  /** All objects, as they are. */
  get store(): Store {
    return this.holdings.store;
  }

  get usn(): number {
    return this.holdings.usn + this.quirks.usnShift;
  }

  load(entries: readonly LdifEntry[]): void {
    this.holdings.load(entries);
  }

  /** The answer to "Who am I?". */
  whoIs(identity: Identity | null): string {
    this.#identitiesTold += 1;
    const { identityChangesAfter } = this.quirks;
    if (identityChangesAfter !== null && this.#identitiesTold > identityChangesAfter) return 'u:EXAMPLE\\Stranger';
    return identity?.authzId ?? '';
  }

  /** What this server shows to an identity. */
  viewFor(identity: Identity | null): View {
    const { forest, controller, catalog, quirks } = this;
    const below = [...quirks.hideBelow, ...(this.#permissions(identity).hideBelow ?? [])];
    const hidden = below.flatMap((dn) => dnKey(dn) ?? []);
    return { store: this.storeFor(identity), forest, controller, catalog, hidden };
  }

  /** The objects of the moment, as this server shows them to an identity. */
  storeFor(identity: Identity | null): Store {
    const of = this.holdings.store;
    const projection = this.#projection(identity);
    if (isPlain(projection)) return of;
    const who = identity?.authzId ?? '';
    const known = this.#shown.get(who);
    if (known?.of === of && known.quirks === this.quirks) return known.store;
    const store = project(of, projection);
    this.#shown.set(who, { of, quirks: this.quirks, store });
    return store;
  }

  #projection(identity: Identity | null): Projection {
    const { usnShift, invocationId, lightweight } = this.quirks;
    const hidden = new Set((this.#permissions(identity).hideAttributes ?? []).map((name) => name.toLowerCase()));
    const id = invocationId === null ? null : guidBytes(invocationId);
    const key = dnKey(this.controller.settingsDn);
    return {
      catalog: this.catalog,
      hidden,
      usnShift,
      lightweight,
      invocation: id && key !== null ? { key, id } : null,
    };
  }

  #permissions(identity: Identity | null): Permissions {
    const who = identity?.authzId.toLowerCase();
    return Object.entries(this.quirks.permissions).find(([name]) => name.toLowerCase() === who)?.[1] ?? {};
  }
}
