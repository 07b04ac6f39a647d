/** The settings of a `directory-extract` node, as the engine takes them. */
import { Type } from '@sinclair/typebox';
import { type ExtractSettings, FILTER_PRESETS } from '../../engine/extract/settings.js';
import {
  entriesOf,
  linesOf,
  oneOf,
  reference,
  settingInvalid,
  settingMissing,
  settingsOf,
  text,
  wholeNumber,
  yesOrNo,
} from '../shared/settings.js';

const parse = settingsOf(
  'directory-extract',
  Type.Object({
    server: reference(),
    source: text(''),
    preset: oneOf(['documented', 'people', 'exchange', 'groups', 'enabled', 'own']),
    filter: text(''),
    attributes: text(''),
    contacts: yesOrNo(true),
    publicFolders: yesOrNo(false),
    include: text(''),
    exclude: text(''),
    emailDomains: text(''),
    canaries: text(''),
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
  const config = parse(stored);
  const { server, source, window, preset, filter, batchSize, contacts, publicFolders } = config;
  if (source.length > LONGEST_SOURCE) {
    throw settingInvalid(
      'source',
      `The setting "source" of directory-extract is longer than ${LONGEST_SOURCE} characters.`,
    );
  }
  if (preset === 'own' && filter === '') throw settingMissing('filter', 'directory-extract');
  return {
    server,
    source,
    window,
    extract: {
      filter: preset === 'own' ? filter : FILTER_PRESETS[preset],
      attributes: entriesOf(config.attributes),
      batchSize,
      contacts,
      publicFolders,
      include: linesOf(config.include),
      exclude: linesOf(config.exclude),
      emailDomains: entriesOf(config.emailDomains).map((domain) => domain.toLowerCase()),
      canaries: linesOf(config.canaries),
    },
  };
}
