/** The settings of a `directory-account` node, as the engine takes them. */
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import type { AccountSettings } from '../../engine/account/account.js';
import { entriesOf, settingsOf, text, yesOrNo } from '../shared/settings.js';

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
  }),
);

/** `folder` is where the database is kept if the settings name no file. Throws `SettingError`. */
export function accountSettings(stored: object, id: string, folder: string): AccountSettings {
  const config = parse(stored);
  return {
    name: config.name === '' ? id : config.name,
    store: { kind: 'sqlite', file: config.file === '' ? join(folder, `${id}.sqlite`) : config.file },
    domains: entriesOf(config.domains.toLowerCase()),
    attributes: entriesOf(config.attributes),
    linkAliases: config.linkAliases,
    acknowledgeDisabled: config.acknowledgeDisabled,
    contacts: config.contacts,
  };
}
