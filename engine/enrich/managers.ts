/** A manager as the address by which people know him, looked up for a whole batch at a time. */
import type { EnrichedRecord, Member } from '../model/records.js';
import type { Lookup } from './lookup.js';
import { parseMember } from './members.js';
import { Recent } from './recent.js';

const MOST_REMEMBERED = 20_000;
const NOBODY = 'The manager has no mail address, or cannot be seen.';

export class Managers {
  readonly #known = new Recent<string | null>(MOST_REMEMBERED);
  readonly figures = { managersFound: 0, managersWithoutAddress: 0 };

  constructor(private readonly lookup: Lookup) {}

  /** The records with `manager` as an address; where there is none it is set aside. Throws `DirectoryError`. */
  async resolve(records: readonly EnrichedRecord[]): Promise<EnrichedRecord[]> {
    const managers = new Map<number, { name: string; key: string }>();
    const ids = new Set<string>();
    const names = new Set<string>();
    for (const [index, record] of records.entries()) {
      if (record.kind !== 'user' && record.kind !== 'contact') continue;
      const [name = '', values = []] =
        Object.entries(record.attributes).find(([key]) => key.toLowerCase() === 'manager') ?? [];
      const [value] = values;
      const manager = typeof value === 'string' ? parseMember(value) : null;
      const key = manager === null ? null : keyOf(manager);
      if (manager === null || key === null) continue;
      managers.set(index, { name, key });
      if (this.#known.get(key) !== undefined) continue;
      if (manager.id === undefined) names.add(key);
      else ids.add(key);
    }
    const here = await this.#look(ids, names);
    return records.map((record, index) => {
      const manager = managers.get(index);
      if (manager === undefined || (record.kind !== 'user' && record.kind !== 'contact')) return record;
      const address = here.get(manager.key) ?? this.#known.get(manager.key) ?? null;
      this.figures[address === null ? 'managersWithoutAddress' : 'managersFound'] += 1;
      const attributes = { ...record.attributes, [manager.name]: address === null ? [] : [address] };
      return address === null
        ? { ...record, attributes, aside: { ...record.aside, [manager.name]: NOBODY } }
        : { ...record, attributes };
    });
  }

  async #look(ids: ReadonlySet<string>, names: ReadonlySet<string>): Promise<Map<string, string | null>> {
    const here = new Map<string, string | null>();
    const byId = ids.size === 0 ? null : await this.lookup.byIds([...ids], 'addresses');
    const byName = names.size === 0 ? null : await this.lookup.byNames([...names], 'addresses');
    for (const key of ids) here.set(key, byId?.get(key)?.primary ?? null);
    for (const key of names) here.set(key, byName?.get(key)?.primary ?? null);
    for (const [key, address] of here) this.#known.set(key, address);
    return here;
  }
}

function keyOf({ id, dn }: Member): string | null {
  return id ?? dn ?? null;
}
