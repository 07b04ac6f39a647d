/** What a read is to bring: the settings of a `directory-extract` node, as the engine takes them. */
import { dnKey, isDistinguishedName } from '../model/dn.js';
import { SettingError } from '../model/errors.js';
import { parseCanary } from './canaries.js';

export interface ExtractSettings {
  readonly filter: string;
  /** Attributes beside those that are always read. */
  readonly attributes: readonly string[];
  /** Records in a batch. */
  readonly batchSize: number;
  /** Are contacts sent, too? */
  readonly contacts: boolean;
  /** Are mail-enabled public folders sent, too, as contacts? Not where it is not given. */
  readonly publicFolders?: boolean;
  /** Names below which to read, such as of several OUs; none: the base of the directory. */
  readonly include?: readonly string[];
  /** Names below which nothing is sent, themselves included. */
  readonly exclude?: readonly string[];
  /** People are sent only if they have an address in one of these domains; none: all people. */
  readonly emailDomains?: readonly string[];
  /**
   * Names or objectGUIDs of objects that must be readable at the beginning and at the end, else the read is incomplete; behind
   * a colon, attributes that must have a value there: `CN=Ada,OU=Staff,DC=example,DC=com: mail, proxyAddresses`.
   */
  readonly canaries?: readonly string[];
}

/** What the documentation of the product reads: everything that can have an address. */
export const DOCUMENTED_FILTER =
  '(|(mail=*)(proxyaddresses=*)(objectclass=group)(objectclass=msExchDynamicDistributionList))';

/** Filters by what they are for. `own` stands for one that somebody wrote. */
export const FILTER_PRESETS = {
  documented: DOCUMENTED_FILTER,
  /** People and contacts with an address, no groups. */
  people: '(&(objectCategory=person)(|(mail=*)(proxyAddresses=*)))',
  /** Mailboxes and lists that Exchange knows. */
  exchange: '(mailNickname=*)',
  /** Groups and dynamic lists, with an address or without. */
  groups: '(|(objectClass=group)(objectClass=msExchDynamicDistributionList))',
  /** As documented, without accounts that are disabled. */
  enabled: `(&${DOCUMENTED_FILTER}(!(&(objectCategory=person)(objectClass=user)(userAccountControl:1.2.840.113556.1.4.803:=2))))`,
} as const;

export type FilterPreset = keyof typeof FILTER_PRESETS;

/** Read of every object, in this spelling. */
export const ALWAYS_READ: readonly string[] = [
  'objectClass',
  'objectGUID',
  'objectSid',
  'entryUUID',
  'cn',
  'displayName',
  'mail',
  'proxyAddresses',
  'msExchShadowProxyAddresses',
  'msExchMasterAccountSid',
  'targetAddress',
  'userAccountControl',
  'msExchRecipientTypeDetails',
  'groupType',
  'member',
  'uniqueMember',
  'primaryGroupID',
  'msExchDynamicDLFilter',
  'msExchDynamicDLBaseDN',
];

/**
 * Read of every object of AD LDS, too, which computes the states of accounts and stores none ([MS-ADTS] 3.1.1.4.5.17). A domain
 * controller says with it who is locked out, never who is disabled, and has to look up each user's password policy for it.
 */
export const READ_OF_LIGHTWEIGHT: readonly string[] = ['msDS-User-Account-Control-Computed'];

/** Refuses settings that cannot work. Throws `SettingError`. */
export function checkExtractSettings(settings: ExtractSettings): void {
  const { batchSize, include = [], exclude = [], emailDomains = [], canaries = [] } = settings;
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > 10_000) {
    throw invalid('batchSize', 'The batch size must be a whole number between 1 and 10000.');
  }
  for (const [setting, names] of Object.entries({ include, exclude })) {
    const wrong = names.findIndex((name) => !isDistinguishedName(name));
    if (wrong >= 0)
      throw invalid(setting, `Line ${wrong + 1} is not a distinguished name such as OU=Staff,DC=example,DC=com.`);
  }
  const domain = emailDomains.findIndex((name) => !/^[^\s@,;]+$/.test(name));
  if (domain >= 0) throw invalid('emailDomains', `Entry ${domain + 1} is not a domain such as example.com.`);
  const canary = canaries.findIndex((line) => parseCanary(line) === null);
  if (canary >= 0) {
    throw invalid(
      'canaries',
      `Line ${canary + 1} is neither a distinguished name nor an objectGUID, alone or with attributes behind a colon.`,
    );
  }
  const keys = new Set(exclude.map(dnKey));
  if (include.some((name) => keys.has(dnKey(name)))) {
    throw invalid('exclude', 'A name is both included and excluded.');
  }
}

function invalid(setting: string, sentence: string): SettingError {
  return new SettingError('SETTING_INVALID', {
    message: `${sentence} Correct "${setting}" of the extract node.`,
    status: `${setting} is wrong`,
    params: { setting },
  });
}
