/** The settings of a `directory-account` node, as the engine takes them. */
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import type { AccountSettings } from '../../engine/account/account.js';
import { DEFAULT_RULES, type Limits, parseLimit } from '../../engine/account/rules.js';
import { entriesOf, linesOf, oneOf, settingsOf, text, wholeNumber, yesOrNo } from '../shared/settings.js';

/** As `DEFAULT_RULES` has it, in writing. */
const LIMIT = '500 / 5 %';

const parse = settingsOf(
  'directory-account',
  Type.Object({
    name: text(''),
    file: text(''),
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

/** `folder` is where the database is kept if the settings name no file. Throws `SettingError`. */
export function accountSettings(stored: object, id: string, folder: string): AccountSettings {
  const config = parse(stored);
  return {
    name: config.name === '' ? id : config.name,
    store: { kind: 'sqlite', file: config.file === '' ? join(folder, `${id}.sqlite`) : config.file },
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
