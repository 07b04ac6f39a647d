/** The settings of a `directory-enrich` node, as the engine takes them. */
import { Type } from '@sinclair/typebox';
import type { EnrichSettings } from '../../engine/enrich/enrich.js';
import { settingsOf, wholeNumber } from '../shared/settings.js';

const parse = settingsOf('directory-enrich', Type.Object({ membersPerRecord: wholeNumber(1, 100_000, 1000) }));

/** Throws `SettingError`. */
export function enrichSettings(stored: object): EnrichSettings {
  return parse(stored);
}
