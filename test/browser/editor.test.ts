/** The editor side of the nodes in both editions of the real editor: palette, example, dialogs, validation, help. */
import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { type Editor, cancelDialogs, openConfigDialog, openDialog, openEditor, picture } from '../support/editor.js';
import {
  type FlowNode,
  NODE_RED_VERSIONS,
  type NodeRed,
  PACKAGE,
  exampleFlow,
  startNodeRed,
} from '../support/node-red.js';

/** Types of the palette, with the names they have there. */
const PALETTE = {
  'directory-extract': 'extract',
  'directory-enrich': 'enrich',
  'directory-transmit': 'transmit',
  'directory-receive': 'receive',
  'directory-apply': 'apply',
};
const CONFIG_TYPES = ['directory-server', 'directory-endpoint', 'directory-account'];
const TYPES = [...Object.keys(PALETTE), ...CONFIG_TYPES];

/** Something wrong in a field, and what is said about it. */
const WRONG: readonly { type: string; field: string; values: readonly string[]; says: RegExp; right: string }[] = [
  {
    type: 'directory-server',
    field: 'servers',
    values: ['', 'dc1.example.com:0', 'dc1:70000', 'ldap://dc1', 'dc 1,-x'],
    says: /Servers: at least one host/,
    right: 'dc1.example.com:636, [2001:db8::1]:636 192.0.2.7',
  },
  { type: 'directory-server', field: 'user', values: ['', ' '], says: /User: the name/, right: 'reader@example.com' },
  { type: 'directory-server', field: 'password', values: [''], says: /Password: the password/, right: 'secret' },
  {
    type: 'directory-server',
    field: 'pageSize',
    values: ['', '0', '1001', '2.5'],
    says: /from 1 to 1,000/,
    right: '500',
  },
  { type: 'directory-server', field: 'runTimeout', values: ['0', '90000'], says: /1 to 86,400/, right: '60' },
  {
    type: 'directory-endpoint',
    field: 'url',
    values: ['', 'http://receiver.example.com/', 'https://u:p@receiver.example.com/', 'receiver'],
    says: /URL: the https:/,
    right: 'https://receiver.example.com:1881/directory-sync',
  },
  { type: 'directory-endpoint', field: 'key', values: ['', 'short'], says: /at least 32/, right: 'k'.repeat(32) },
  {
    type: 'directory-endpoint',
    field: 'keyId',
    values: ['', 'with space'],
    says: /Key name: 1 to 64/,
    right: 'site-2',
  },
  {
    type: 'directory-account',
    field: 'domains',
    values: ['@example.com', 'a..b'],
    says: /Internal domains/,
    right: '',
  },
  {
    type: 'directory-account',
    field: 'attributes',
    values: ['tele*', 'a=b'],
    says: /Attributes: names/,
    right: 'title',
  },
  {
    type: 'directory-account',
    field: 'limitValues',
    values: ['many', '-1', '5 % 5'],
    says: /A limit: a number, a percentage/,
    right: '20 / 2.5 %',
  },
  {
    type: 'directory-extract',
    field: 'canaries',
    values: ['somebody', 'somebody: mail', 'CN=a,DC=b: mail\nsomebody'],
    says: /Canaries: distinguished names/,
    right: 'CN=a,DC=b: mail, proxyAddresses',
  },
  {
    type: 'directory-extract',
    field: 'filter',
    values: ['', 'mail=*', '(mail=*', '(mail=*))', '(a=b)(c=d)'],
    says: /Filter: an LDAP filter/,
    right: '(&(mail=*)(!(cn=x)))',
  },
  { type: 'directory-extract', field: 'batchSize', values: ['0', '5001'], says: /Batch size/, right: '100' },
  { type: 'directory-extract', field: 'source', values: ['s'.repeat(129)], says: /at most 128/, right: 'head office' },
  { type: 'directory-enrich', field: 'membersPerRecord', values: ['0'], says: /Members per record/, right: '10' },
  { type: 'directory-enrich', field: 'domains', values: ['@example.com'], says: /Mail domains/, right: 'example.com' },
  { type: 'directory-enrich', field: 'photoBytes', values: ['-1', 'big'], says: /Largest photo/, right: '1000' },
  {
    type: 'directory-receive',
    field: 'path',
    values: ['', 'directory-sync', '/a b'],
    says: /starts with a slash/,
    right: '/d',
  },
  { type: 'directory-receive', field: 'port', values: ['70000', 'https'], says: /1 to 65,535/, right: '8443' },
];

for (const version of NODE_RED_VERSIONS) {
  describe(`Editor of Node-RED ${version}`, () => {
    let nodeRed: NodeRed;
    let editor: Editor;

    before(async () => {
      nodeRed = await startNodeRed({ version });
      editor = await openEditor(nodeRed.url);
    });
    after(async () => {
      await editor.close();
      await nodeRed.stop();
    });
    afterEach(() => assert.deepEqual(editor.errors, [], 'the page reported errors'));

    it('loads all eight node types without a complaint', async () => {
      const sets = (await nodeRed.get('/nodes')) as { module: string; types: string[]; err?: string }[];
      const ours = sets.filter(({ module }) => module === PACKAGE);
      assert.deepEqual(ours.flatMap(({ types }) => types).sort(), [...TYPES].sort());
      assert.deepEqual(
        ours.filter(({ err }) => err !== undefined),
        [],
      );
    });

    it('shows five nodes in the palette, with names and icons', async () => {
      const { page } = editor;
      const header = page.locator('#red-ui-palette-header-directory_sync');
      await header.scrollIntoViewIfNeeded();
      assert.equal(await header.innerText(), 'directory sync');
      const content = page.locator('#red-ui-palette-base-category-directory_sync');
      assert.equal(await content.locator('.red-ui-palette-node').count(), Object.keys(PALETTE).length);
      for (const [type, name] of Object.entries(PALETTE)) {
        const node = content.locator(`[data-palette-type="${type}"]`);
        assert.equal((await node.innerText()).trim(), name);
        const icon = await node.locator('.red-ui-palette-icon-container').getAttribute('data-palette-icon');
        assert.ok(icon?.endsWith(`${type}.svg`), `${type} shows ${String(icon)}`);
        const response = await fetch(new URL(icon ?? '', `${nodeRed.url}/`));
        assert.match(response.headers.get('content-type') ?? '', /svg/);
      }
      await picture(page.locator('#red-ui-palette-container-directory_sync'), `${version}-palette`);
    });

    it('offers the example in the import menu; it deploys as it is', async () => {
      const { page } = editor;
      await page.evaluate(`RED.actions.invoke('core:show-examples-import-dialog')`);
      const dialog = page.locator('.red-ui-editor-dialog:visible').filter({ hasText: 'Import nodes' });
      await dialog.locator('.red-ui-treeList-label:visible').filter({ hasText: PACKAGE }).last().click();
      await picture(dialog, `${version}-import`);
      await dialog.locator('.red-ui-treeList-label:visible').filter({ hasText: 'End-to-end sync' }).last().click();
      await page.locator('#red-ui-clipboard-dialog-ok').click();
      await dialog.waitFor({ state: 'hidden' });
      await page.waitForFunction(`RED.nodes.filterNodes({ type: 'directory-extract' }).length === 1`);

      const deployed = page.waitForResponse(
        (answer) => answer.request().method() === 'POST' && answer.url().endsWith('/flows'),
      );
      await page.locator('#red-ui-header-button-deploy:not(.disabled)').click();
      await deployed;
      const flows = (await nodeRed.get('/flows')) as FlowNode[];
      for (const type of TYPES) assert.equal(flows.filter((node) => node.type === type).length, 1, type);
    });
  });

  describe(`Dialogs in the editor of Node-RED ${version}`, () => {
    let nodeRed: NodeRed;
    let editor: Editor;

    before(async () => {
      nodeRed = await startNodeRed({ version });
      await nodeRed.deploy(exampleFlow());
      editor = await openEditor(nodeRed.url);
    });
    after(async () => {
      await editor.close();
      await nodeRed.stop();
    });
    afterEach(async () => {
      await cancelDialogs(editor.page);
      assert.deepEqual(editor.errors, [], 'the page reported errors');
    });

    it('finds no setting of the example wrong', async () => {
      const invalid = await editor.page.evaluate(`${JSON.stringify(exampleFlow().map(({ id }) => id))}
        .map((id) => RED.nodes.node(id))
        .filter((node) => node?.valid === false)
        .map(({ type, validationErrors }) => ({ type, validationErrors }))`);
      assert.deepEqual(invalid, []);
    });

    for (const type of TYPES) {
      it(`${type}: opens its dialog, in words and not in keys`, async () => {
        const tray = await dialogOf(editor, type);
        await picture(tray, `${version}-light-${type}`);
        const text = await tray.innerText();
        assert.doesNotMatch(text, /directory-[a-z]+\.[a-z]/i);
        const untranslated = await tray
          .locator('.directory-sync-form [data-i18n]')
          .evaluateAll((elements) =>
            elements
              .filter((element) => !element.textContent.trim() && !element.getAttribute('placeholder'))
              .map((element) => element.getAttribute('data-i18n')),
          );
        assert.deepEqual(untranslated, []);
        const placeholders = await tray
          .locator('[placeholder]')
          .evaluateAll((elements) => elements.map((element) => element.getAttribute('placeholder') ?? ''));
        for (const placeholder of placeholders) assert.doesNotMatch(placeholder, /directory-[a-z]+\./);
      });
    }

    for (const { type, field, values, says, right } of WRONG) {
      it(`${type}: says what is wrong with ${field}, and no more once it is right`, async () => {
        const tray = await dialogOf(editor, type);
        const input = tray.locator(`#node-${CONFIG_TYPES.includes(type) ? 'config-' : ''}input-${field}`);
        if (field === 'filter') await tray.locator('#node-input-preset').selectOption('own');
        for (const value of values) {
          await enter(input, value);
          assert.ok(await hasError(input), `${JSON.stringify(value)} is taken for right`);
          assert.match(await tooltipOf(editor, input), says);
        }
        await enter(input, right);
        assert.ok(!(await hasError(input)), `${JSON.stringify(right)} is taken for wrong`);
      });
    }

    it('a receiver with a port of its own asks for a certificate; without one it does not', async () => {
      const tray = await dialogOf(editor, 'directory-receive');
      const tls = tray.locator('#node-input-tls');
      const port = tray.locator('#node-input-port');
      await tls.selectOption('_ADD_');
      assert.ok(await hasError(tls));
      assert.match(await tooltipOf(editor, tls), /needs a certificate/);
      await enter(port, '');
      assert.ok(!(await hasError(tls)));
      assert.ok(!(await tls.isVisible()));
    });

    it('an account in PostgreSQL asks for a host and a database, and warns where nothing is encrypted', async () => {
      const tray = await dialogOf(editor, 'directory-account');
      const input = (name: string) => tray.locator(`#node-config-input-${name}`);
      await input('store').selectOption('embedded');
      assert.ok(await input('file').isVisible());
      assert.ok(!(await input('host').isVisible()));
      await input('store').selectOption('postgresql');
      assert.ok(!(await input('file').isVisible()));
      for (const [field, wrong, right] of [
        ['host', 'db example', 'db.example.com'],
        ['database', '', 'directory'],
        ['schema', 'pg_mine', 'directory_sync'],
      ] as const) {
        await enter(input(field), wrong);
        assert.ok(await hasError(input(field)), field);
        await enter(input(field), right);
        assert.ok(!(await hasError(input(field))), field);
      }
      await input('encryption').selectOption('none');
      assert.ok(await tray.locator('#directory-account-plain').isVisible());
      assert.ok(!(await tray.locator('#directory-account-tls').isVisible()));
      await picture(tray, `${version}-light-directory-account-postgresql`);
    });

    it('warns of a directory without encryption', async () => {
      const tray = await dialogOf(editor, 'directory-server');
      const warning = tray.locator('.directory-sync-warning');
      assert.ok(!(await warning.isVisible()));
      await tray.locator('#node-config-input-encryption').selectOption('none');
      assert.ok(await warning.isVisible());
      assert.match(await warning.innerText(), /clear text/);
      await picture(tray, `${version}-light-directory-server-plain`);
    });

    it('makes a new key and shows it', async () => {
      const tray = await dialogOf(editor, 'directory-receive');
      const key = tray.locator('#node-input-key');
      assert.ok(await hasError(key));
      await tray.locator('#directory-receive-new-key').click();
      assert.match(await key.inputValue(), /^[0-9a-f]{64}$/);
      assert.equal(await key.getAttribute('type'), 'text');
      assert.ok(!(await hasError(key)));
    });

    it('puts the usual filter back', async () => {
      const tray = await dialogOf(editor, 'directory-extract');
      const filter = tray.locator('#node-input-filter');
      await tray.locator('#node-input-preset').selectOption('own');
      const usual = await filter.inputValue();
      await enter(filter, '(cn=x)');
      await tray.locator('#directory-extract-documented').click();
      assert.equal(await filter.inputValue(), usual);
    });

    for (const type of TYPES) {
      it(`${type}: has help`, async () => {
        const { page } = editor;
        await page.evaluate(`RED.sidebar.help.show(${JSON.stringify(type)})`);
        const help = page
          .locator('.red-ui-help:visible')
          .filter({ has: page.locator('h3') })
          .last();
        await help.waitFor();
        const text = await help.innerText();
        assert.match(text, CONFIG_TYPES.includes(type) ? /Properties/ : /Outputs/);
        assert.doesNotMatch(text, /No help topic/);
      });
    }
  });
}

/** Opens the dialog of the only node of a type. */
async function dialogOf({ page }: Editor, type: string): Promise<Locator> {
  const id = exampleFlow().find((node) => node.type === type)?.id;
  assert.ok(id !== undefined, `the example has no ${type}`);
  return CONFIG_TYPES.includes(type) ? openConfigDialog(page, type, id) : openDialog(page, id);
}

async function enter(input: Locator, value: string): Promise<void> {
  await input.evaluate((element, text) => {
    const field = element as HTMLInputElement;
    field.value = text;
    field.dispatchEvent(new Event('keyup', { bubbles: true }));
    field.dispatchEvent(new Event('change', { bubbles: true }));
  }, value);
}

async function hasError(input: Locator): Promise<boolean> {
  return /(^| )input-error( |$)/.test((await input.getAttribute('class')) ?? '');
}

/** What the editor shows when the mouse rests on a field. */
async function tooltipOf({ page }: Editor, input: Locator): Promise<string> {
  await page.mouse.move(0, 0);
  await input.hover();
  const tooltip = page.locator('.red-ui-popover:visible').last();
  await tooltip.waitFor();
  return tooltip.innerText();
}
