/** Where a directory is and how to log on, as the `directory-server` node gives it. */
import type * as tls from 'node:tls';
import { SASL_MECHANISMS } from 'ldapts';
import { SettingError } from '../model/errors.js';
import type { ResolveSrv } from './locate.js';

/** `ldaps`: TLS from the first byte. `starttls`: upgraded before the bind. `none`: an explicit choice, to be warned about. */
export type Encryption = 'ldaps' | 'starttls' | 'none';

export interface DirectorySettings {
  /** In order of preference. The first that answers is kept for the whole run. */
  readonly servers: readonly { host: string; port: number }[];
  /** Where `servers` is empty: the DNS domain whose SRV records give them, those of `site` first. */
  readonly discovery?: { readonly domain: string; readonly site: string | null };
  readonly encryption: Encryption;
  /** From the core tls-config: ca, cert, key, passphrase, servername, rejectUnauthorized. `{}` verifies the certificate. */
  readonly tls: tls.ConnectionOptions;
  readonly user: string;
  readonly password: string;
  /** null: the server's default naming context. */
  readonly base: string | null;
  /** Entries asked for in one page; Active Directory gives at most 1,000. */
  readonly pageSize: number;
  /** Milliseconds. `connect`: to be connected, encrypted and bound; `idle`: without a byte of an answer; `run`: in all. */
  readonly timeouts: { readonly connect: number; readonly idle: number; readonly run: number };
  /** The largest LDAP message that is accepted. */
  readonly maxMessageBytes: number;
  /**
   * Read the whole forest: find objects through the Global Catalog, and take what it does not hold from a controller of each
   * object's own domain.
   */
  readonly globalCatalog?: boolean;
  /** Where the Global Catalog is; none: DNS says, or it is on `servers` at the usual ports (3268, 3269). */
  readonly catalogServers?: readonly { host: string; port: number }[];
  /** Looks up SRV records in place of the system's resolver. */
  readonly resolveSrv?: ResolveSrv;
}

export const DEFAULT_MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

const LARGEST_TIMER = 2 ** 31 - 1;

/** Refuses settings that cannot work, before anything is sent. Throws `SettingError`. */
export function checkDirectorySettings(settings: DirectorySettings): void {
  if (settings.servers.length === 0 && (settings.discovery?.domain ?? '') === '') {
    throw settingMissing('servers', 'Neither a directory server nor a domain is given.');
  }
  for (const { host, port } of settings.servers) {
    if (host.trim() === '') throw settingMissing('servers', 'A directory server has no host name.');
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw settingInvalid(
        'servers',
        `The port of a directory server must be between 1 and 65535, not ${String(port)}.`,
      );
    }
  }
  if (settings.user.trim() === '') throw settingMissing('user', 'No user is given to log on to the directory with.');
  // The library would take these for a mechanism instead of a name.
  if (SASL_MECHANISMS.some((mechanism) => mechanism === settings.user)) {
    throw settingInvalid('user', 'SASL mechanisms are not supported; the user logs on with a simple bind.');
  }
  // A bind with a name and no password is an anonymous one that many servers answer with success (RFC 4513, 5.1.2).
  if (settings.password === '') throw settingMissing('password', 'No password is given for the user of the directory.');
  if (!Number.isInteger(settings.pageSize) || settings.pageSize < 1 || settings.pageSize > 20_000) {
    throw settingInvalid('pageSize', 'The page size must be a whole number between 1 and 20000.');
  }
  for (const [name, value] of Object.entries(settings.timeouts)) {
    if (!Number.isFinite(value) || value < 1 || value > LARGEST_TIMER) {
      throw settingInvalid(`timeouts.${name}`, `The time limit "${name}" must be between 1 ms and 24 days.`);
    }
  }
  if (!Number.isInteger(settings.maxMessageBytes) || settings.maxMessageBytes < 1024) {
    throw settingInvalid('maxMessageBytes', 'The largest accepted message must be at least 1024 bytes.');
  }
}

function settingMissing(setting: string, sentence: string): SettingError {
  return new SettingError('SETTING_MISSING', {
    message: `${sentence} Fill in "${setting}" of the directory server.`,
    status: `${setting} missing`,
    params: { setting },
  });
}

function settingInvalid(setting: string, sentence: string): SettingError {
  return new SettingError('SETTING_INVALID', {
    message: `${sentence} Correct "${setting}" of the directory server.`,
    status: `${setting} is wrong`,
    params: { setting },
  });
}
