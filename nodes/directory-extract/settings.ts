/** The settings of a `directory-extract` node, as the engine takes them. */
import { Type } from '@sinclair/typebox';
import { DOCUMENTED_FILTER, type ExtractSettings } from '../../engine/extract/extract.js';
import { entriesOf, reference, settingInvalid, settingsOf, text, wholeNumber, yesOrNo } from '../shared/settings.js';

const parse = settingsOf(
  'directory-extract',
  Type.Object({
    server: reference(),
    source: text(''),
    filter: text(DOCUMENTED_FILTER),
    attributes: text(''),
    contacts: yesOrNo(true),
    batchSize: wholeNumber(1, 5000, 500),
    window: wholeNumber(1, 100, 4),
  }),
);

const LONGEST_SOURCE = 128;

/** `server`: the id of a directory-server node; `source`: blank for the base that is read. Throws `SettingError`. */
export function extractSettings(stored: object): {
  readonly server: string;
  readonly source: string;
  readonly window: number;
  readonly extract: ExtractSettings;
} {
  const { server, source, window, filter, attributes, batchSize, contacts } = parse(stored);
  if (source.length > LONGEST_SOURCE) {
    throw settingInvalid(
      'source',
      `The setting "source" of directory-extract is longer than ${LONGEST_SOURCE} characters.`,
    );
  }
  return { server, source, window, extract: { filter, attributes: entriesOf(attributes), batchSize, contacts } };
}
