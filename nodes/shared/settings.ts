/** Reads the settings of a node as Node-RED stores them: parsed once, at start, by a schema. */
import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox';
import { parserOf } from '../../engine/model/check.js';
import { SettingError } from '../../engine/model/errors.js';
import { migrate } from './migrations.js';

/** A whole number, `least` to `most`; blank: `otherwise`. */
export const wholeNumber = (least: number, most: number, otherwise: number) =>
  Type.Integer({ minimum: least, maximum: most, default: otherwise });
/** A choice among words; blank: the first. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  Type.Union(
    words.map((word) => Type.Literal<Words[number]>(word)),
    { default: words[0] },
  );
/** Text; blank: `otherwise`. */
export const text = (otherwise: string, pattern = '') => Type.String({ default: otherwise, pattern });
/** Text that has to be there. `pattern` is a regular expression it has to match. */
export const requiredText = (pattern = '') => Type.String({ minLength: 1, pattern });
/** A tick box; absent: `otherwise`. */
export const yesOrNo = (otherwise: boolean) => Type.Boolean({ default: otherwise });
/** The id of a config node that has to be chosen. */
export const reference = () => Type.String({ minLength: 1 });

export const KEY_ID = '^[A-Za-z0-9._-]{1,64}$';

/**
 * A parser for the settings of nodes of `type`: brings stored settings of older versions up to date, fills in defaults for
 * what is blank, takes numbers and ticks that come as text (from the environment), and checks. Throws `SettingError`.
 */
export function settingsOf<Schema extends TObject>(type: string, schema: Schema): (stored: object) => Static<Schema> {
  const parse = parserOf(schema, (pointer) => {
    const setting = pointer.slice(1);
    return settingInvalid(setting, `The setting "${setting}" of ${type} ${complaint(schema.properties[setting])}.`);
  });
  return (stored) => {
    const config = migrate(type, stored);
    const filled = Object.entries(schema.properties).flatMap(([name, property]) => {
      const value = coerced(property, config[name]);
      if (value === undefined && property.default === undefined) throw settingMissing(name, type);
      return [[name, value ?? property.default]];
    });
    return parse(Object.fromEntries(filled));
  };
}

/** A required setting is blank. */
export function settingMissing(setting: string, type: string): SettingError {
  return new SettingError('SETTING_MISSING', {
    message: `The setting "${setting}" of ${type} is missing. Open the node, fill it in, and deploy.`,
    status: `${setting} missing`,
    params: { setting },
  });
}

/** `sentence` says what is wrong; what to do is added. */
export function settingInvalid(setting: string, sentence: string): SettingError {
  return new SettingError('SETTING_INVALID', {
    message: `${sentence} Open the node, correct it, and deploy.`,
    status: `${setting} is wrong`,
    params: { setting },
  });
}

/** Entries of a text list: separated by commas, semicolons, blanks or new lines. */
export function entriesOf(list: string): string[] {
  return list.split(/[\s,;]+/).filter((entry) => entry !== '');
}

/** Lines of a text, such as distinguished names, which have commas in them. */
export function linesOf(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Undefined for blank: then the default holds. */
function coerced(schema: TSchema, value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'string') return value;
  const trimmed = value.trim();
  if (trimmed === '') return undefined;
  if (schema['type'] === 'integer' && /^-?\d{1,15}$/.test(trimmed)) return Number(trimmed);
  if (schema['type'] === 'boolean' && /^(?:true|false)$/i.test(trimmed)) return trimmed.toLowerCase() === 'true';
  return trimmed;
}

function complaint(schema: TSchema | undefined): string {
  if (schema?.['type'] === 'integer') return `must be a whole number from ${schema['minimum']} to ${schema['maximum']}`;
  if (schema?.['type'] === 'boolean') return 'must be true or false';
  const words: unknown = schema?.['anyOf'];
  if (Array.isArray(words)) return `must be one of ${words.map((word: TSchema) => String(word['const'])).join(', ')}`;
  return 'is not as it must be';
}
