/** The scope of a read as the seal tells it: settings in one spelling, so that another spelling is not another scope. */
import { digestOf } from '../model/canonical.js';
import { dnKey } from '../model/dn.js';
import type { ReadScope } from '../model/run.js';
import type { ExtractSettings } from './settings.js';

const ordered = (list: readonly string[]) => [...new Set(list)].sort();

/** `bases`: the names below which was read; none: a whole forest. */
export function readScopeOf(bases: readonly string[], settings: ExtractSettings): ReadScope {
  const { exclude = [], emailDomains = [], contacts, publicFolders = false } = settings;
  const scope = {
    bases: ordered(bases.map(dnKey)),
    exclude: ordered(exclude.map(dnKey)),
    filter: settings.filter.trim(),
    kinds: [
      'user',
      'group',
      'dynamic-group',
      ...(contacts ? ['contact'] : []),
      ...(publicFolders ? ['public-folder'] : []),
    ],
    emailDomains: ordered(emailDomains.map((domain) => domain.toLowerCase())),
    attributes: ordered(settings.attributes.map((name) => name.toLowerCase())),
  };
  return { digest: digestOf(scope), ...scope };
}
