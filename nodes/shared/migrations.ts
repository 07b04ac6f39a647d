/**
 * Brings the stored settings of a node up to date, step by step, so that flows made with an older version keep working.
 * `version` is a hidden setting of every node; a node from before it had one counts as version 1.
 */
import { SettingError } from '../../engine/model/errors.js';

export type Settings = Readonly<Record<string, unknown>>;
/** Leads from one version to the next; the first of a list from 1 to 2. Never changed once released. */
export type Step = (settings: Settings) => Settings;

/** What a filter was by default in version 1 of extract. */
const FIRST_FILTER = '(|(mail=*)(proxyaddresses=*)(objectclass=group)(objectclass=msExchDynamicDistributionList))';

/** For each node type its steps, in order. */
export const STEPS: Readonly<Record<string, readonly Step[]>> = {
  'directory-server': [
    // 2: found by DNS, and the Global Catalog. What was there before was named, and is read alone.
    (settings) => ({ domain: '', site: '', globalCatalog: 'off', ...settings }),
  ],
  'directory-endpoint': [signedOnly],
  'directory-account': [
    // 2: the rules for who left. They had none, and the defaults mark before they take away.
    (settings) => ({ ...settings }),
  ],
  'directory-extract': [
    // 2: filters by what they are for. One that somebody wrote is their own.
    (settings) => {
      const filter = typeof settings['filter'] === 'string' ? settings['filter'].trim() : '';
      return { ...settings, preset: filter === '' || filter === FIRST_FILTER ? 'documented' : 'own' };
    },
  ],
  'directory-enrich': [asBefore],
  'directory-transmit': [unchanged],
  'directory-receive': [oneSender],
  'directory-apply': [
    // 2: a third output, for plans that wait. Wires of the other two stay.
    (settings) => ({ ...settings }),
  ],
};

/** What version 2 asks of a directory and does to values, version 1 did not: a flow shall go on as it was. */
function asBefore(settings: Settings): Settings {
  const off = { primaryGroups: false, dynamicLists: false, readable: false };
  return { nested: 'carried', ...off, photo: 'bytes', photoBytes: 10_000_000, ...settings };
}

/** Before there were other proofs, every request was signed. */
function signedOnly(settings: Settings): Settings {
  return { proof: 'signature', underWay: 4, ...settings };
}

/** Before there were several senders, the only one could write every source. */
function oneSender(settings: Settings): Settings {
  return { senders: [], sources: '', ...settings };
}

/** A second output came, which an older flow has not wired. */
function unchanged(settings: Settings): Settings {
  return settings;
}

/** The settings in the shape of the newest version. Throws `SettingError` for those of a version that is not known yet. */
export function migrate(type: string, stored: object, steps: readonly Step[] = STEPS[type] ?? []): Settings {
  let settings: Settings = { ...stored };
  const version = Number(settings['version'] ?? 1);
  const newest = steps.length + 1;
  if (!Number.isInteger(version) || version < 1 || version > newest) {
    throw new SettingError('VERSION_UNKNOWN', {
      message: `The settings of this ${type} were made by a newer version of the nodes. Update the package @dirflow/node-red-directory-sync.`,
      status: 'newer version',
      params: { setting: 'version', newest },
    });
  }
  for (const step of steps.slice(version - 1)) settings = step(settings);
  return { ...settings, version: newest };
}
