/** What `npm start` was asked to do: its options and the environment variables that name a real directory. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Encryption } from '../engine/ldap/settings.js';
import { SettingError } from '../engine/model/errors.js';

export const USAGE = `npm start -- [--once] [--json] [--fresh] [--port 1880]

  --once    end after the report; exit code 0 only if the account is as it should be
  --json    print the report as one line of JSON, last
  --fresh   forget the account of earlier runs first
  --port N  where the editor listens (the receiver takes the next port); default 1880

A real directory instead of the sample one:
  DIRECTORY_URL         ldaps://dc1.example.com (ldap:// is without encryption; port optional)
  DIRECTORY_USER        who to log on as: a distinguished name, or user@domain
  DIRECTORY_PASSWORD    the password
  DIRECTORY_CA          file with the certificate authority's certificate (PEM), where it is not a public one
  DIRECTORY_BASE        where to read; default: the directory's default naming context
  DIRECTORY_ENCRYPTION  ldaps, starttls or none, where the URL does not say it
`;

/** A directory outside this process. */
export interface RealDirectory {
  readonly host: string;
  readonly port: number;
  readonly encryption: Encryption;
  readonly user: string;
  readonly password: string;
  readonly base: string;
  /** The certificate authority as PEM, or null for the public ones. */
  readonly ca: string | null;
}

export interface Arguments {
  readonly once: boolean;
  readonly json: boolean;
  readonly fresh: boolean;
  readonly help: boolean;
  readonly port: number;
  /** Null: the sample directory. */
  readonly directory: RealDirectory | null;
}

/** Reads options and environment. Throws a `SettingError` that names the option or variable. */
export function readArguments(argv: readonly string[], env: NodeJS.ProcessEnv): Arguments {
  const { values } = parse(argv);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_534) {
    throw wrong('--port', `--port ${values.port} is not a port. Give a number from 1 to 65534.`);
  }
  return {
    once: values.once,
    json: values.json,
    fresh: values.fresh,
    help: values.help,
    port,
    directory: env['DIRECTORY_URL'] === undefined ? null : realDirectory(env['DIRECTORY_URL'], env),
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        once: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        fresh: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        port: { type: 'string', default: '1880' },
      },
    });
  } catch (error) {
    throw wrong('options', `${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

function realDirectory(text: string, env: NodeJS.ProcessEnv): RealDirectory {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw wrong('DIRECTORY_URL', `DIRECTORY_URL is not a URL. Give one like ldaps://dc1.example.com.`);
  }
  if ((url.protocol !== 'ldaps:' && url.protocol !== 'ldap:') || url.hostname === '') {
    throw wrong('DIRECTORY_URL', 'DIRECTORY_URL is not a directory. Give one like ldaps://dc1.example.com.');
  }
  if (url.username !== '' || url.password !== '') {
    throw wrong(
      'DIRECTORY_URL',
      'DIRECTORY_URL holds a user or a password. Put them into DIRECTORY_USER and DIRECTORY_PASSWORD.',
    );
  }
  const encryption = chosenEncryption(url.protocol, env['DIRECTORY_ENCRYPTION']);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (encryption === 'ldaps' ? 636 : 389) : Number(url.port),
    encryption,
    user: required('DIRECTORY_USER', env),
    password: required('DIRECTORY_PASSWORD', env),
    base: env['DIRECTORY_BASE'] ?? '',
    ca: env['DIRECTORY_CA'] === undefined ? null : readCertificate(env['DIRECTORY_CA']),
  };
}

function chosenEncryption(protocol: string, chosen: string | undefined): Encryption {
  const byUrl = protocol === 'ldaps:' ? 'ldaps' : 'none';
  if (chosen === undefined) return byUrl;
  if (chosen !== 'ldaps' && chosen !== 'starttls' && chosen !== 'none') {
    throw wrong('DIRECTORY_ENCRYPTION', 'DIRECTORY_ENCRYPTION is none of ldaps, starttls, none.');
  }
  if ((chosen === 'ldaps') !== (byUrl === 'ldaps')) {
    throw wrong(
      'DIRECTORY_ENCRYPTION',
      `DIRECTORY_ENCRYPTION=${chosen} does not go with a DIRECTORY_URL that starts with ${protocol}//.`,
    );
  }
  return chosen;
}

function required(name: string, env: NodeJS.ProcessEnv): string {
  const value = env[name];
  if (value === undefined || value === '') throw wrong(name, `DIRECTORY_URL is set but ${name} is not. Set it too.`);
  return value;
}

function readCertificate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw wrong(
      'DIRECTORY_CA',
      `DIRECTORY_CA: the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`,
    );
  }
}

function wrong(setting: string, message: string): SettingError {
  return new SettingError('BAD_OPTION', { message, status: 'bad option', params: { setting } });
}
