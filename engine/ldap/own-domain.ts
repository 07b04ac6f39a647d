/** The DNS domain that this computer is in: where the documented default mode looks for a domain controller. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** What a computer knows of itself. `resolver`: the text of `/etc/resolv.conf`, blank where there is none. */
export interface Computer {
  readonly userDnsDomain: string;
  readonly hostname: string;
  readonly resolver: string;
}

/**
 * Its primary DNS suffix in lower case, or null where nothing tells it: what Windows gave a service of the domain
 * (USERDNSDOMAIN), else what follows the first dot of the host's name, else what the resolver appends to short names
 * (resolv.conf(5), `domain` and `search`).
 */
export function ownDomain({ userDnsDomain, hostname: host, resolver }: Computer = thisComputer()): string | null {
  const [, ofHost] = /^[^.]+\.(.+)$/.exec(host.trim()) ?? [];
  const [, ofResolver] = /^[ \t]*(?:domain|search)[ \t]+(\S+)/m.exec(resolver) ?? [];
  const found = [userDnsDomain.trim(), ofHost, ofResolver].find((name) => name !== undefined && isDomain(name));
  return found?.replace(/\.$/, '').toLowerCase() ?? null;
}

/** Not `local`, `localdomain` and the like: no domain of a directory is named so, and DNS is not to be asked for it. */
function isDomain(name: string): boolean {
  return /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\.?$/.test(name);
}

function thisComputer(): Computer {
  return {
    userDnsDomain: process.env['USERDNSDOMAIN'] ?? '',
    hostname: hostname(),
    resolver: process.platform === 'win32' ? '' : textOf('/etc/resolv.conf'),
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
