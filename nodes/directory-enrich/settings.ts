/** The settings of a `directory-enrich` node, as the engine takes them. */
import { Type } from '@sinclair/typebox';
import type { EnrichSettings } from '../../engine/enrich/enrich.js';
import { entriesOf, oneOf, settingsOf, text, wholeNumber, yesOrNo } from '../shared/settings.js';

const parse = settingsOf(
  'directory-enrich',
  Type.Object({
    server: text(''),
    foreignServer: text(''),
    membersPerRecord: wholeNumber(1, 100_000, 1000),
    nested: oneOf(['carried', 'flattened']),
    primaryGroups: yesOrNo(true),
    dynamicLists: yesOrNo(true),
    managers: yesOrNo(false),
    domains: text(''),
    otherAddresses: yesOrNo(false),
    accountExpires: yesOrNo(false),
    readable: yesOrNo(true),
    photo: oneOf(['bytes', 'hash']),
    photoBytes: wholeNumber(0, 10_000_000, 102_400),
    findings: yesOrNo(false),
  }),
);

/** Ids of the config nodes of whom to ask; blank: nobody. */
export interface EnrichNodeSettings {
  readonly server: string;
  readonly foreignServer: string;
  readonly enrich: EnrichSettings;
}

/** Throws `SettingError`. */
export function enrichSettings(stored: object): EnrichNodeSettings {
  const { server, foreignServer, domains, photo, photoBytes, ...enrich } = parse(stored);
  return {
    server,
    foreignServer,
    enrich: { ...enrich, domains: entriesOf(domains), photo: { as: photo, mostBytes: photoBytes } },
  };
}
