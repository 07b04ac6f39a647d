import assert from 'node:assert/strict';
import { DEFAULT_RULES } from '../../engine/account/rules.js';
import { accountSettings } from '../../nodes/directory-account/settings.js';
import { applySettings } from '../../nodes/directory-apply/settings.js';
import { endpointSettings } from '../../nodes/directory-endpoint/settings.js';
import { enrichSettings } from '../../nodes/directory-enrich/settings.js';
import { extractSettings } from '../../nodes/directory-extract/settings.js';
import { receiveSettings } from '../../nodes/directory-receive/settings.js';
import { serverSettings } from '../../nodes/directory-server/settings.js';
import { transmitSettings } from '../../nodes/directory-transmit/settings.js';
import { type Step, migrate } from '../../nodes/shared/migrations.js';
import { SettingError } from '../../engine/model/errors.js';
import { DOCUMENTED_FILTER, FILTER_PRESETS } from '../../engine/extract/settings.js';

const key = 'k'.repeat(32);
const logon = { user: 'u', password: 'p' };

/** Asserts that the settings are refused, that the error names the setting, and that it holds no secret. */
function refuses(read: () => unknown, code: string, setting: string): void {
  assert.throws(read, (error) => {
    assert.ok(error instanceof SettingError);
    assert.deepEqual([error.code, error.params['setting']], [code, setting]);
    assert.ok(error.message.includes(`"${setting}"`), error.message);
    assert.ok(!error.message.includes(key));
    assert.ok(error.status.length <= 24, error.status);
    return true;
  });
}

describe('settings: what is blank has a default', () => {
  it('directory-server', () => {
    assert.deepEqual(serverSettings({ servers: 'dc1' }, logon), {
      directory: {
        servers: [{ host: 'dc1', port: 636 }],
        globalCatalog: false,
        encryption: 'ldaps',
        ...logon,
        base: null,
        pageSize: 1000,
        timeouts: { connect: 5_000, idle: 60_000, run: 3_600_000 },
        maxMessageBytes: 33_554_432,
      },
      tlsConfig: '',
    });
  });

  it('directory-extract', () => {
    assert.deepEqual(extractSettings({ server: 's', filter: '  ' }), {
      server: 's',
      source: '',
      window: 4,
      extract: {
        filter: DOCUMENTED_FILTER,
        attributes: [],
        batchSize: 500,
        contacts: true,
        publicFolders: false,
        include: [],
        exclude: [],
        emailDomains: [],
        canaries: [],
      },
    });
  });

  it('directory-account keeps its file beside the others, under its own id', () => {
    const { store, name, domains } = accountSettings({}, { id: 'id1', folder: '/data' });
    assert.ok(store.kind === 'sqlite');
    assert.deepEqual([store.file.replaceAll('\\', '/'), name, domains], ['/data/id1.sqlite', 'id1', []]);
  });

  it('directory-account in PostgreSQL: verified, under a name of its own among the writers', () => {
    const surroundings = { id: 'id1', folder: '/data', credentials: { user: ' sync ', password: 'secret' } };
    const config = { store: 'postgresql', host: 'db.example.com', database: 'directory', port: '5433', tls: 'tls1' };
    const { store } = accountSettings(config, { ...surroundings, tlsOptions: (id) => ({ ca: id }) });
    assert.ok(store.kind === 'postgres');
    const { writer, ...rest } = store;
    assert.match(writer, /:\/data:id1$/);
    assert.deepEqual(rest, {
      kind: 'postgres',
      host: 'db.example.com',
      port: 5433,
      database: 'directory',
      user: 'sync',
      password: 'secret',
      schema: 'directory_sync',
      tls: { ca: 'tls1' },
      applicationName: 'node-red directory-account id1',
      timeouts: { connect: 10_000, statement: 300_000, idle: 60_000 },
    });
    const plain = accountSettings({ ...config, encryption: 'none' }, surroundings).store;
    assert.ok(plain.kind === 'postgres' && plain.tls === null, 'plain only in so many words');
  });

  it('directory-account in PostgreSQL: what is missing is named, and a schema is a plain name', () => {
    const whole = { store: 'postgresql', host: 'db', database: 'directory' };
    const who = { user: 'sync', password: 'secret' };
    const setting = (config: object, credentials: { user?: string; password?: string } = who) => {
      try {
        accountSettings(config, { id: 'id1', folder: '/data', credentials });
      } catch (error) {
        assert.ok(error instanceof SettingError);
        return error.params['setting'];
      }
      return null;
    };
    assert.equal(setting(whole), null);
    assert.equal(setting({ ...whole, host: ' ' }), 'host');
    assert.equal(setting({ ...whole, database: '' }), 'database');
    assert.equal(setting(whole, { user: 'sync' }), 'password');
    assert.equal(setting(whole, { password: 'secret' }), 'user');
    for (const schema of ['pg_mine', '1st', 'a"b', 'a b', 'x'.repeat(64)]) {
      assert.equal(setting({ ...whole, schema }), 'schema');
    }
    for (const schema of ['a', 'Account-1', '_x', 'x'.repeat(63)]) assert.equal(setting({ ...whole, schema }), null);
  });

  it('the others', () => {
    assert.deepEqual(enrichSettings({ membersPerRecord: '', domains: 'a.example, b.example', version: 2 }), {
      server: '',
      foreignServer: '',
      enrich: {
        membersPerRecord: 1000,
        nested: 'carried',
        primaryGroups: true,
        dynamicLists: true,
        managers: false,
        domains: ['a.example', 'b.example'],
        otherAddresses: false,
        accountExpires: false,
        readable: true,
        photo: { as: 'bytes', mostBytes: 102_400 },
        findings: false,
      },
    });
    assert.deepEqual(applySettings({ account: 'a' }), { account: 'a', dryRun: false });
    assert.equal(endpointSettings({ url: 'https://r.example', keyId: 'k' }, { key }).endpoint.minimumTls, 'TLSv1.2');
    assert.deepEqual(receiveSettings({ keyId: 'k' }, { key }), {
      path: '/directory-sync',
      senders: [{ id: 'k', keys: [{ id: 'k', key }], sources: [], requestsPerMinute: 12_000 }],
      listen: null,
    });
  });
});

describe('settings: what they may look like', () => {
  it('servers in any of the usual spellings', () => {
    const { servers } = serverSettings(
      { servers: 'dc1, dc2:3269\n192.0.2.1;[2001:db8::1]:1636 [::1]', encryption: 'starttls' },
      logon,
    ).directory;
    assert.deepEqual(servers, [
      { host: 'dc1', port: 389 },
      { host: 'dc2', port: 3269 },
      { host: '192.0.2.1', port: 389 },
      { host: '2001:db8::1', port: 1636 },
      { host: '::1', port: 389 },
    ]);
  });

  it('numbers and ticks that come from the environment are text', () => {
    const { extract, window } = extractSettings({ server: 's', batchSize: ' 20 ', contacts: 'false', window: '7' });
    assert.deepEqual([extract.batchSize, extract.contacts, window], [20, false, 7]);
  });

  it('a domain in place of servers, with or without a site', () => {
    const domain = { domain: 'example.test', globalCatalog: 'on' };
    const { servers, discovery, globalCatalog } = serverSettings(domain, logon).directory;
    assert.deepEqual(
      { servers, discovery, globalCatalog },
      { servers: [], discovery: { domain: 'example.test', site: null }, globalCatalog: true },
    );
    const sited = serverSettings({ ...domain, site: 'Berlin' }, logon).directory;
    assert.equal(sited.discovery?.site, 'Berlin');
  });

  it('a dot in place of a domain: that of this computer; servers that are named come first', () => {
    const own = serverSettings({ domain: '.' }, logon, () => 'corp.example.com').directory;
    assert.deepEqual([own.servers, own.discovery], [[], { domain: 'corp.example.com', site: null }]);
    const named = serverSettings({ servers: 'dc1', domain: '.' }, logon, () => null).directory;
    assert.equal(named.servers[0]?.host, 'dc1');
  });

  it('filters by what they are for, and lists of names by lines', () => {
    const of = (settings: object) => extractSettings({ server: 's', version: 2, ...settings }).extract;
    assert.equal(of({ preset: 'groups', filter: '(cn=x)' }).filter, FILTER_PRESETS.groups);
    assert.equal(of({ preset: 'own', filter: '(cn=x)' }).filter, '(cn=x)');
    assert.equal(of({}).filter, DOCUMENTED_FILTER);
    const names = of({ include: 'OU=a,DC=x\r\n\n OU=b,DC=x ', emailDomains: 'A.test, b.test', canaries: 'CN=c,DC=x' });
    assert.deepEqual(names.include, ['OU=a,DC=x', 'OU=b,DC=x']);
    assert.deepEqual([names.emailDomains, names.canaries], [['a.test', 'b.test'], ['CN=c,DC=x']]);
  });

  it('lists', () => {
    assert.deepEqual(extractSettings({ server: 's', attributes: 'title, department\nl' }).extract.attributes, [
      'title',
      'department',
      'l',
    ]);
    assert.deepEqual(accountSettings({ domains: 'Example.COM x.example' }, { id: 'a', folder: '' }).domains, [
      'example.com',
      'x.example',
    ]);
  });
});

describe('settings: what is refused', () => {
  const cases: [string, () => unknown, string, string][] = [
    ['no servers', () => serverSettings({}, logon), 'SETTING_MISSING', 'servers'],
    [
      'the domain of a computer that is in none',
      () => serverSettings({ domain: '.' }, logon, () => null),
      'OWN_DOMAIN_UNKNOWN',
      'domain',
    ],
    ['blank servers', () => serverSettings({ servers: '\n' }, logon), 'SETTING_MISSING', 'servers'],
    ['a server that is a URL', () => serverSettings({ servers: 'ldaps://dc1' }, logon), 'SETTING_INVALID', 'servers'],
    ['a port that is none', () => serverSettings({ servers: 'dc1:70000' }, logon), 'SETTING_INVALID', 'servers'],
    [
      'another encryption',
      () => serverSettings({ servers: 'a', encryption: 'ssl' }, logon),
      'SETTING_INVALID',
      'encryption',
    ],
    ['a page of nothing', () => serverSettings({ servers: 'a', pageSize: 0 }, logon), 'SETTING_INVALID', 'pageSize'],
    [
      'half a second',
      () => serverSettings({ servers: 'a', connectTimeout: '0.5' }, logon),
      'SETTING_INVALID',
      'connectTimeout',
    ],
    ['no user', () => serverSettings({ servers: 'a' }, { password: 'p' }), 'SETTING_MISSING', 'user'],
    ['lost credentials', () => serverSettings({ servers: 'a' }, undefined), 'SETTING_MISSING', 'user'],
    [
      'a blank password',
      () => serverSettings({ servers: 'a' }, { user: 'u', password: '' }),
      'SETTING_MISSING',
      'password',
    ],
    ['a domain that is a URL', () => serverSettings({ domain: 'ldap://x' }, logon), 'SETTING_INVALID', 'domain'],
    [
      'another filter preset',
      () => extractSettings({ server: 's', version: 2, preset: 'all' }),
      'SETTING_INVALID',
      'preset',
    ],
    [
      'no filter of its own',
      () => extractSettings({ server: 's', version: 2, preset: 'own' }),
      'SETTING_MISSING',
      'filter',
    ],
    ['no server chosen', () => extractSettings({}), 'SETTING_MISSING', 'server'],
    ['a long source', () => extractSettings({ server: 's', source: 'x'.repeat(129) }), 'SETTING_INVALID', 'source'],
    ['a window of words', () => extractSettings({ server: 's', window: 'few' }), 'SETTING_INVALID', 'window'],
    ['http', () => endpointSettings({ url: 'http://r.example', keyId: 'k' }, { key }), 'SETTING_INVALID', 'url'],
    ['a broken url', () => endpointSettings({ url: 'https://', keyId: 'k' }, { key }), 'SETTING_INVALID', 'url'],
    [
      'a short key',
      () => endpointSettings({ url: 'https://r', keyId: 'k' }, { key: 'short' }),
      'SETTING_INVALID',
      'key',
    ],
    ['no key', () => receiveSettings({ keyId: 'k' }, {}), 'SETTING_MISSING', 'key'],
    ['a key id with a blank', () => receiveSettings({ keyId: 'a b' }, { key }), 'SETTING_INVALID', 'keyId'],
    ['a path without a slash', () => receiveSettings({ keyId: 'k', path: 'x' }, { key }), 'SETTING_INVALID', 'path'],
    [
      'a port without a certificate',
      () => receiveSettings({ keyId: 'k', port: '8443' }, { key }),
      'SETTING_MISSING',
      'tls',
    ],
    ['no endpoint chosen', () => transmitSettings({ endpoint: '' }), 'SETTING_MISSING', 'endpoint'],
    ['no account chosen', () => applySettings({}), 'SETTING_MISSING', 'account'],
  ];
  for (const [what, read, code, setting] of cases) it(what, () => refuses(read, code, setting));
});

describe('migrations of settings', () => {
  it('directory-account 1 to 2: who left is marked, and limits hold; directory-apply 1 to 2: as it was', () => {
    const first = { version: 1, file: 'a.sqlite', linkAliases: false };
    assert.deepEqual(migrate('directory-account', first), { ...first, version: 2 });
    const { rules, linkAliases } = accountSettings(first, { id: 'id', folder: 'folder' });
    assert.deepEqual([rules, linkAliases], [DEFAULT_RULES, false]);
    assert.deepEqual(migrate('directory-apply', { version: 1, dryRun: true }), { version: 2, dryRun: true });
  });

  it('directory-extract 1 to 2: the filter that was the default is the documented one, any other is their own', () => {
    const first = { version: 1, server: 's', contacts: false };
    assert.deepEqual(migrate('directory-extract', { ...first, filter: DOCUMENTED_FILTER })['preset'], 'documented');
    assert.deepEqual(migrate('directory-extract', first)['preset'], 'documented');
    assert.deepEqual(migrate('directory-extract', { ...first, filter: '(cn=x)' }), {
      ...first,
      filter: '(cn=x)',
      preset: 'own',
      version: 2,
    });
    assert.equal(extractSettings({ ...first, filter: '(cn=x)' }).extract.filter, '(cn=x)');
  });

  it('directory-enrich 1 to 2: what version 1 did not do stays off', () => {
    const { server, enrich } = enrichSettings({ version: 1, membersPerRecord: 20 });
    assert.equal(server, '');
    const { membersPerRecord, primaryGroups, dynamicLists, readable, nested, managers, findings } = enrich;
    assert.deepEqual(
      { membersPerRecord, primaryGroups, dynamicLists, readable, nested, managers, findings },
      {
        membersPerRecord: 20,
        nested: 'carried',
        ...{ primaryGroups: false, dynamicLists: false, readable: false, managers: false, findings: false },
      },
    );
  });

  it('directory-server 1 to 2: servers stay, and one domain is read', () => {
    assert.deepEqual(migrate('directory-server', { servers: 'a', base: 'DC=x' }), {
      servers: 'a',
      base: 'DC=x',
      domain: '',
      site: '',
      globalCatalog: 'off',
      version: 2,
    });
  });

  const steps: Step[] = [
    (settings) => ({ ...settings, host: settings['server'] }),
    (settings) => ({ ...settings, host: `${String(settings['host'])}:636` }),
  ];

  it('bring older settings up step by step, those without a version from the first', () => {
    assert.equal(migrate('t', { server: 'a' }, steps)['host'], 'a:636');
    assert.equal(migrate('t', { version: 2, host: 'a' }, steps)['host'], 'a:636');
    assert.deepEqual(migrate('t', { version: 3, host: 'a' }, steps), { version: 3, host: 'a' });
  });

  it('refuse those of a newer version, which nobody here can read', () => {
    for (const version of [4, 0, 1.5, 'x']) {
      assert.throws(() => migrate('t', { version }, steps), { code: 'VERSION_UNKNOWN' });
    }
  });
});
