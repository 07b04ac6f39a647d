/** What an administrator decides about an account. */
import { digestOf } from '../model/canonical.js';
import { SettingError } from '../model/errors.js';
import { type Rules, rulesOf } from './rules.js';
import type { StoreSettings } from './store/store.js';

/** Where an account is kept, and its rules (design section 7). */
export interface AccountSettings<Store extends StoreSettings = StoreSettings> {
  /** As it appears in reports. */
  readonly name: string;
  readonly store: Store;
  /** Internal domains, compared without case; users of others are set aside. `[]`: all domains are internal. */
  readonly domains: readonly string[];
  /** Additional attributes that the account takes, by name without regard to case; spelled in the account as here. */
  readonly attributes: readonly string[];
  /** Link aliases to their primary address. */
  readonly linkAliases: boolean;
  /** Disable users who are disabled in the directory, and enable them again. */
  readonly acknowledgeDisabled: boolean;
  /** Take contacts too. */
  readonly contacts: boolean;
  /** What may be taken from the account, where it is not to be as {@link Rules} says by default. */
  readonly rules?: Partial<Rules>;
  /**
   * Only the one who opened the account last may write (an older instance is refused); in PostgreSQL: last under its name of
   * a writer. Off: openings take turns.
   */
  readonly exclusive?: boolean;
}

/** Checks what a node's dialog may have let through. Throws SettingError. */
export function checkSettings(settings: AccountSettings): AccountSettings {
  if (settings.store.kind === 'sqlite' && settings.store.file.trim() === '') {
    throw new SettingError('SETTING_MISSING', {
      message: 'The account has no file. Fill in the setting "file" of its directory-account node.',
      status: 'no file',
      params: { setting: 'file' },
    });
  }
  return settings;
}

/** Equal for settings that lead to the same plan. Limits and holds decide about a plan, and are not part of it. */
export function settingsDigest(settings: AccountSettings): string {
  const { domains, attributes, linkAliases, acknowledgeDisabled, contacts } = settings;
  const { userLeft, groupLeft, groupWithoutMail, inUse, protect, precedence, graceDays, graceRuns } = rulesOf(settings);
  const rules = { userLeft, groupLeft, groupWithoutMail, inUse, protect, precedence, graceDays, graceRuns };
  return digestOf({ domains, attributes, linkAliases, acknowledgeDisabled, contacts, rules });
}
