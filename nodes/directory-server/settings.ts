/** The settings of a `directory-server` node, as the engine takes them. */
import { Type } from '@sinclair/typebox';
import { SettingError } from '../../engine/model/errors.js';
import { ownDomain } from '../../engine/ldap/own-domain.js';
import { DEFAULT_MAX_MESSAGE_BYTES, type DirectorySettings } from '../../engine/ldap/settings.js';
import { entriesOf, oneOf, settingInvalid, settingMissing, settingsOf, text, wholeNumber } from '../shared/settings.js';

/** The account that reads the directory; Node-RED keeps both encrypted. */
export interface ServerCredentials {
  user?: string;
  password?: string;
}

const parse = settingsOf(
  'directory-server',
  Type.Object({
    servers: text(''),
    domain: text('', '^[A-Za-z0-9_.-]*$'),
    site: text('', '^[A-Za-z0-9_-]*$'),
    globalCatalog: oneOf(['off', 'on']),
    encryption: oneOf(['ldaps', 'starttls', 'none']),
    tls: text(''),
    base: text(''),
    pageSize: wholeNumber(1, 1000, 1000),
    connectTimeout: wholeNumber(1, 300, 5),
    idleTimeout: wholeNumber(1, 3600, 60),
    runTimeout: wholeNumber(1, 86_400, 3600),
  }),
);

/** Without `tls`, which is read from another node: `tlsConfig` is that node's id, or blank. */
export interface ServerSettings {
  readonly directory: Omit<DirectorySettings, 'tls'>;
  readonly tlsConfig: string;
}

/** In place of a domain's name: the domain that this computer is in. */
const OWN = '.';

/**
 * Throws `SettingError`. A blank password is refused: a directory would take it for an anonymous log-on (hazard N11). `own`
 * says in which domain this computer is.
 */
export function serverSettings(
  stored: object,
  credentials: ServerCredentials | undefined,
  own: () => string | null = ownDomain,
): ServerSettings {
  const config = parse(stored);
  const servers = entriesOf(config.servers);
  if (servers.length === 0 && config.domain === '') throw settingMissing('servers', 'directory-server');
  const domain = config.domain === OWN ? ownUnless(servers.length > 0, own) : config.domain;
  const usual = config.encryption === 'ldaps' ? 636 : 389;
  const user = credentials?.user?.trim() ?? '';
  const password = credentials?.password ?? '';
  if (user === '') throw settingMissing('user', 'directory-server');
  if (password === '') throw settingMissing('password', 'directory-server');
  return {
    directory: {
      servers: servers.map((entry) => serverOf(entry, usual)),
      ...(domain === '' ? {} : { discovery: { domain, site: config.site || null } }),
      globalCatalog: config.globalCatalog === 'on',
      encryption: config.encryption,
      user,
      password,
      base: config.base === '' ? null : config.base,
      pageSize: config.pageSize,
      timeouts: {
        connect: config.connectTimeout * 1000,
        idle: config.idleTimeout * 1000,
        run: config.runTimeout * 1000,
      },
      maxMessageBytes: DEFAULT_MAX_MESSAGE_BYTES,
    },
    tlsConfig: config.tls,
  };
}

/** `host`, `host:port`, `[IPv6]` or `[IPv6]:port`. */
function serverOf(entry: string, usual: number): { host: string; port: number } {
  const [, address, name, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/]+))(?::(\d{1,5}))?$/.exec(entry) ?? [];
  const host = address ?? name;
  const port = digits === undefined ? usual : Number(digits);
  if (host === undefined || port < 1 || port > 65_535) {
    throw settingInvalid(
      'servers',
      `"${entry}" in the setting "servers" of directory-server is no host name with or without :port.`,
    );
  }
  return { host, port };
}

/** Servers that are named need no domain. */
function ownUnless(named: boolean, own: () => string | null): string {
  const domain = named ? '' : own();
  if (domain !== null) return domain;
  throw new SettingError('OWN_DOMAIN_UNKNOWN', {
    message:
      'The setting "domain" of directory-server is a dot, the domain of this computer, but neither its name nor its resolver tells which that is. Fill in the name of the domain.',
    status: 'own domain unknown',
    params: { setting: 'domain' },
  });
}
