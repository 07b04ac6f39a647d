/** Held plans in the editor: shown in the dialog of apply with why they wait and what they would change, and decided there. */
import assert from 'node:assert/strict';
import { APPLY_FLOW, ApplyByHttp } from '../support/apply-by-http.js';
import { type Editor, cancelDialogs, openDialog, openEditor, picture } from '../support/editor.js';
import { NODE_RED_VERSIONS, type NodeRed, startNodeRed } from '../support/node-red.js';

for (const version of NODE_RED_VERSIONS) {
  describe(`plans that wait, in the editor of Node-RED ${version}`, function () {
    this.timeout(120_000);
    let nodeRed: NodeRed;
    let apply: ApplyByHttp;
    let editor: Editor;
    before(async () => {
      nodeRed = await startNodeRed({ version });
      await nodeRed.deploy(APPLY_FLOW);
      apply = new ApplyByHttp(nodeRed.url);
    });
    after(() => nodeRed.stop());
    afterEach(() => editor.close());

    for (const theme of version === '5' ? (['light', 'dark'] as const) : (['light'] as const)) {
      it(`are shown, approved and rejected (${theme})`, async () => {
        const { plan } = await apply.held();
        editor = await openEditor(nodeRed.url, { theme });
        const dialog = await openDialog(editor.page, 'apply');
        const box = dialog.locator('.directory-sync-plan');
        await box.waitFor();
        const text = await box.innerText();
        assert.match(text, /^hq, .*: 3 changes/);
        assert.match(text, /The plan takes away or disables users and contacts: 3 of 9/);
        assert.ok(text.includes(plan));
        const step = box.getByRole('button', { name: 'Users: marked as leaving (3)' });
        assert.equal(await step.getAttribute('aria-expanded'), 'false');
        await step.click();
        await box.locator('.directory-sync-change').first().waitFor();
        assert.deepEqual(await box.locator('.directory-sync-change').allInnerTexts(), [
          'p6 <p6@example.com>: not in the directory any more',
          'p7 <p7@example.com>: not in the directory any more',
          'p8 <p8@example.com>: not in the directory any more',
        ]);
        assert.equal(await step.getAttribute('aria-expanded'), 'true');
        await picture(dialog, `plans-${version}-${theme}`);
        await box.getByRole('button', { name: 'Reject' }).click();
        await dialog.getByText('None waits.').waitFor();
        await cancelDialogs(editor.page);

        await apply.held();
        const again = await openDialog(editor.page, 'apply');
        await again.locator('.directory-sync-plan').getByRole('button', { name: 'Approve' }).click();
        await again.getByText('None waits.').waitFor();
        assert.deepEqual(editor.errors, []);
      });
    }

    it('says what to do where the node is not deployed', async () => {
      editor = await openEditor(nodeRed.url);
      await editor.page
        .evaluate(`RED.nodes.import([{ id: 'new-apply', type: 'directory-apply', z: 'tab', x: 200, y: 300,
        account: 'account', wires: [[], [], []] }])`);
      const dialog = await openDialog(editor.page, 'new-apply');
      await dialog.getByText('Deploy the node, then open it again.').waitFor();
      assert.deepEqual(editor.errors, []);
    });
  });
}
