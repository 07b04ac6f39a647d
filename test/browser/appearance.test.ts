/**
 * What the nodes look like: pictures of the flow and of every dialog in light and dark, for people to look at, and the two
 * things about them that a program can judge: nothing is cut off, and every text stands out from its background.
 */
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { type Editor, cancelDialogs, openConfigDialog, openDialog, openEditor, picture } from '../support/editor.js';
import { type NodeRed, type NodeRedVersion, exampleFlow, startNodeRed } from '../support/node-red.js';

const TYPES = exampleFlow().filter(({ type }) => type.startsWith('directory-'));
const THEMES: readonly { version: NodeRedVersion; theme: 'light' | 'dark' }[] = [
  { version: '4', theme: 'light' },
  { version: '5', theme: 'light' },
  { version: '5', theme: 'dark' },
];
/** Of text to its background, as WCAG 2.2 asks for (success criterion 1.4.3). */
const LEAST_CONTRAST = 4.5;

for (const { version, theme } of THEMES) {
  describe(`Appearance in Node-RED ${version}, ${theme}`, () => {
    let nodeRed: NodeRed;
    let editor: Editor;

    before(async () => {
      nodeRed = await startNodeRed({ version });
      await nodeRed.deploy(exampleFlow());
      editor = await openEditor(nodeRed.url, { theme, width: 2000, height: 1000, scale: 2 });
    });
    after(async () => {
      await editor.close();
      await nodeRed.stop();
    });
    afterEach(() => cancelDialogs(editor.page));

    it('draws the example with nothing on top of another', async () => {
      await picture(editor.page, `${version}-${theme}-flow`, await around(editor.page));
      assert.deepEqual(overlaps(await boxesOfNodes(editor.page)), []);
    });

    it('measures what it claims to: pale text and a field too wide are found', async () => {
      const { page } = editor;
      const [first] = TYPES.filter(({ type }) => type === 'directory-enrich');
      const form = (await openDialog(page, first?.id ?? '')).locator('.directory-sync-form');
      const style = await page.addStyleTag({
        content: '.directory-sync-hint { opacity: 0.2 !important } .directory-sync-field { width: 150% !important }',
      });
      try {
        assert.ok((await textsOf(form)).some(({ contrast }) => contrast < LEAST_CONTRAST));
        assert.notDeepEqual(await cutOff(form), []);
      } finally {
        await style.evaluate((element) => element.parentNode?.removeChild(element));
      }
    });

    for (const { id, type } of TYPES) {
      it(`${type}: cuts nothing off, and every text stands out`, async () => {
        const { page } = editor;
        const config = !('wires' in exampleNode(id));
        const tray = config ? await openConfigDialog(page, type, id) : await openDialog(page, id);
        await picture(tray, `${version}-${theme}-${type}`);
        const form = tray.locator('.directory-sync-form');
        assert.deepEqual(await cutOff(form), []);
        const pale = (await textsOf(form)).filter(({ contrast }) => contrast < LEAST_CONTRAST);
        assert.deepEqual(pale, []);
      });
    }
  });
}

function exampleNode(id: string): object {
  return exampleFlow().find((node) => node.id === id) ?? {};
}

const MARGIN = 16;

/** The part of the page that the flow takes. `docs/images/flow.png` shows the same part in light, after `npm start`. */
function around(page: Page): Promise<{ x: number; y: number; width: number; height: number }> {
  return page.evaluate((margin) => {
    const boxes = [...document.querySelectorAll('.red-ui-flow-node-group, .red-ui-flow-group')].map((element) =>
      element.getBoundingClientRect(),
    );
    const x = Math.min(...boxes.map(({ left }) => left)) - margin;
    const y = Math.min(...boxes.map(({ top }) => top)) - margin;
    const width = Math.max(...boxes.map(({ right }) => right)) + margin - x;
    return { x, y, width, height: Math.max(...boxes.map(({ bottom }) => bottom)) + margin - y };
  }, MARGIN);
}

interface Box {
  readonly id: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** With the buttons that inject and debug have at their sides. */
function boxesOfNodes(page: Page): Promise<Box[]> {
  return page.evaluate(`RED.nodes.filterNodes({ z: RED.workspaces.active() }).map(({ id, type, x, y, w, h }) => ({
    id,
    left: x - w / 2 - (type === 'inject' ? 25 : 0),
    right: x + w / 2 + (type === 'debug' ? 25 : 0),
    top: y - h / 2,
    bottom: y + h / 2,
  }))`);
}

function overlaps(boxes: readonly Box[]): string[] {
  return boxes.flatMap((one, index) =>
    boxes
      .slice(index + 1)
      .filter((two) => one.left < two.right && two.left < one.right && one.top < two.bottom && two.top < one.bottom)
      .map((two) => `${one.id} / ${two.id}`),
  );
}

/** Elements that are wider than the room they have. */
function cutOff(form: Locator): Promise<string[]> {
  return form.evaluate((element) => {
    const right = element.getBoundingClientRect().right;
    return [...element.querySelectorAll('label, span, div, select, button, input')]
      .filter((part) => part.getClientRects().length > 0)
      .filter((part) => part.getBoundingClientRect().right > right + 1 || part.scrollWidth > part.clientWidth + 1)
      .filter((part) => getComputedStyle(part).display !== 'inline')
      .map((part) => `${part.tagName} ${part.id} ${part.textContent.trim().slice(0, 40)}`);
  });
}

/** Every element of ours that shows text of its own (buttons are the editor's), with the contrast of its colour to what is behind it. */
function textsOf(form: Locator): Promise<{ text: string; contrast: number }[]> {
  return form.evaluate((root) => {
    type Colour = [number, number, number, number];
    const colour = (css: string): Colour => {
      const parts = (/rgba?\(([^)]+)\)/.exec(css)?.[1] ?? '0,0,0,0').split(/[ ,/]+/).map(Number);
      return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0, parts[3] ?? 1];
    };
    const behind = (element: Element | null): Colour => {
      if (element === null) return [255, 255, 255, 1];
      const own = colour(getComputedStyle(element).backgroundColor);
      return own[3] === 0 ? behind(element.parentElement) : own;
    };
    const opacity = (element: Element | null): number =>
      element === null ? 1 : Number(getComputedStyle(element).opacity) * opacity(element.parentElement);
    const light = ([red, green, blue]: Colour) => {
      const [r = 0, g = 0, b = 0] = [red, green, blue]
        .map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const shown = [...root.querySelectorAll(':not(.red-ui-button)')].filter(
      (element) =>
        element.getClientRects().length > 0 &&
        [...element.childNodes].some((child) => child.nodeType === 3 && child.textContent?.trim()),
    );
    return shown.map((element) => {
      const back = behind(element);
      const own = colour(getComputedStyle(element).color);
      const share = own[3] * opacity(element);
      const mixed = own.map((part, index) => part * share + (back[index] ?? 0) * (1 - share)) as Colour;
      const [pale, dark] = [light(mixed), light(back)].sort((a, b) => b - a);
      return { text: element.textContent.trim(), contrast: ((pale ?? 0) + 0.05) / ((dark ?? 0) + 0.05) };
    });
  });
}
