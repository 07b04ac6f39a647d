/** The settings of a `directory-transmit` node. */
import { type Static, Type } from '@sinclair/typebox';
import { reference, settingsOf } from '../shared/settings.js';

const schema = Type.Object({ endpoint: reference() });

/** `endpoint`: the id of a directory-endpoint node. Throws `SettingError`. */
export const transmitSettings: (stored: object) => Static<typeof schema> = settingsOf('directory-transmit', schema);
