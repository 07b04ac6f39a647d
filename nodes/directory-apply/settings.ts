/** The settings of a `directory-apply` node. */
import { type Static, Type } from '@sinclair/typebox';
import { reference, settingsOf, yesOrNo } from '../shared/settings.js';

const schema = Type.Object({ account: reference(), dryRun: yesOrNo(false) });

/** `account`: the id of a directory-account node. Throws `SettingError`. */
export const applySettings: (stored: object) => Static<typeof schema> = settingsOf('directory-apply', schema);
