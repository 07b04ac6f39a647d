/** The settings of a `directory-account` node, as the engine takes them. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { Type } from '@sinclair/typebox';
import type { AccountSettings, PostgresSettings } from '../../engine/account/account.js';
import { DEFAULT_RULES, type Limits, parseLimit } from '../../engine/account/rules.js';
import {
  entriesOf,
  linesOf,
  oneOf,
  settingMissing,
  settingsOf,
  text,
  wholeNumber,
  yesOrNo,
} from '../shared/settings.js';

/** A name that needs no quotes in the tools of an administrator; those with `pg_` are the server's own. */
const SCHEMA = '^(?!pg_)[A-Za-z_][A-Za-z0-9_-]{0,62}$';
/** As `DEFAULT_RULES` has it, in writing. */
const LIMIT = '500 / 5 %';

const parse = settingsOf(
  'directory-account',
  Type.Object({
    name: text(''),
    store: oneOf(['embedded', 'postgresql']),
    file: text(''),
    host: text(''),
    port: wholeNumber(1, 65_535, 5432),
    database: text(''),
    schema: text('directory_sync', SCHEMA),
    encryption: oneOf(['tls', 'none']),
    tls: text(''),
    connectTimeout: wholeNumber(1, 300, 10),
    statementTimeout: wholeNumber(1, 86_400, 300),
    idleTimeout: wholeNumber(1, 3_600, 60),
    domains: text(''),
    attributes: text(''),
    linkAliases: yesOrNo(true),
    acknowledgeDisabled: yesOrNo(true),
    contacts: yesOrNo(true),
    userLeft: oneOf(['downgrade', 'disable', 'remove']),
    groupLeft: oneOf(['remove', 'keep']),
    groupWithoutMail: oneOf(['remove', 'keep']),
    inUse: text(''),
    protect: text(''),
    precedence: text(''),
    retired: text(''),
    staleDays: wholeNumber(0, 3_650, DEFAULT_RULES.staleDays),
    graceDays: wholeNumber(0, 3_650, DEFAULT_RULES.graceDays),
    graceRuns: wholeNumber(1, 1_000, DEFAULT_RULES.graceRuns),
    limitUsers: text(LIMIT),
    limitGroups: text(LIMIT),
    limitMembers: text(LIMIT),
    limitMembersPerGroup: text(LIMIT),
    limitAddresses: text(LIMIT),
    limitValues: text(LIMIT),
    holdUnusual: yesOrNo(true),
    additionsWhileHeld: yesOrNo(false),
    keepDays: wholeNumber(0, 36_500, DEFAULT_RULES.keepDays),
  }),
);

/** Who logs on to PostgreSQL; Node-RED keeps both encrypted. */
export interface AccountCredentials {
  user?: string;
  password?: string;
}

/** What settings are parsed with, beside what Node-RED stored. */
export interface AccountSurroundings {
  readonly id: string;
  /** Where the embedded database is kept if the settings name no file. */
  readonly folder: string;
  readonly credentials?: AccountCredentials | undefined;
  /** Options of the core `tls-config` node with that id; `''`: none is chosen. */
  readonly tlsOptions?: (id: string) => ConnectionOptions;
}

/** Throws `SettingError`. */
export function accountSettings(stored: object, surroundings: AccountSurroundings): AccountSettings {
  const config = parse(stored);
  const { id, folder } = surroundings;
  return {
    name: config.name === '' ? id : config.name,
    store:
      config.store === 'postgresql'
        ? postgresOf(config, surroundings)
        : { kind: 'sqlite', file: config.file === '' ? join(folder, `${id}.sqlite`) : config.file },
    domains: entriesOf(config.domains.toLowerCase()).map((domain) => domain.replace(/^@/, '')),
    attributes: entriesOf(config.attributes),
    linkAliases: config.linkAliases,
    acknowledgeDisabled: config.acknowledgeDisabled,
    contacts: config.contacts,
    exclusive: true,
    rules: {
      userLeft: config.userLeft,
      groupLeft: config.groupLeft,
      groupWithoutMail: config.groupWithoutMail,
      inUse: linesOf(config.inUse),
      protect: linesOf(config.protect),
      precedence: linesOf(config.precedence),
      retired: linesOf(config.retired),
      staleDays: config.staleDays,
      graceDays: config.graceDays,
      graceRuns: config.graceRuns,
      limits: limitsOf(config),
      holdUnusual: config.holdUnusual,
      additionsWhileHeld: config.additionsWhileHeld,
      keepDays: config.keepDays,
    },
  };
}

function postgresOf(
  config: ReturnType<typeof parse>,
  { id, folder, credentials, tlsOptions = () => ({}) }: AccountSurroundings,
): PostgresSettings {
  const user = credentials?.user?.trim() ?? '';
  const password = credentials?.password ?? '';
  const { host, port, database, schema } = config;
  for (const [setting, value] of Object.entries({ host, database, user, password })) {
    if (value === '') throw settingMissing(setting, 'directory-account');
  }
  return {
    kind: 'postgres',
    host,
    port,
    database,
    user,
    password,
    schema,
    tls: config.encryption === 'none' ? null : tlsOptions(config.tls),
    applicationName: `node-red directory-account ${id}`.slice(0, 63),
    // A newer deployment has the same name; another Node-RED has another computer or another folder.
    writer: [hostname(), folder, id].join(':'),
    timeouts: {
      connect: config.connectTimeout * 1000,
      statement: config.statementTimeout * 1000,
      idle: config.idleTimeout * 1000,
    },
  };
}

function limitsOf(config: ReturnType<typeof parse>): Limits {
  return {
    users: parseLimit(config.limitUsers, 'limitUsers'),
    groups: parseLimit(config.limitGroups, 'limitGroups'),
    members: parseLimit(config.limitMembers, 'limitMembers'),
    membersPerGroup: parseLimit(config.limitMembersPerGroup, 'limitMembersPerGroup'),
    addresses: parseLimit(config.limitAddresses, 'limitAddresses'),
    values: parseLimit(config.limitValues, 'limitValues'),
  };
}
