/** The objects of a forest, which its servers share. Replacing them replaces them on all servers at once. */
import type { LdifEntry } from '../ldif.js';
import type { Loader } from './load.js';
import type { Store } from './store.js';

export class Holdings {
  #store: Store;

  constructor(
    private readonly loader: Loader,
    entries: readonly LdifEntry[],
  ) {
    this.#store = loader.load(entries);
  }

  get store(): Store {
    return this.#store;
  }

  get usn(): number {
    return this.loader.usn;
  }

  load(entries: readonly LdifEntry[]): void {
    this.#store = this.loader.load(entries);
  }
}
