/** Node-RED's editor in a real browser, for tests and for the pictures in the papers. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Locator, type Page, chromium } from 'playwright-core';

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const KNOWN_PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Where screenshots go; not kept in the repository. */
export const SCREENSHOTS = resolve(__dirname, '..', '..', '..', 'coverage', 'screenshots');

export interface EditorOptions {
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  /** Pixels of the picture for each pixel of the page. */
  readonly scale?: number;
}

export interface Editor {
  readonly page: Page;
  /** Errors of the page: exceptions, failed requests to Node-RED, lines that a script printed as errors. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

/** Opens the editor and waits until nodes and flows are loaded. */
export async function openEditor(url: string, options: EditorOptions = {}): Promise<Editor> {
  const profile = await mkdtemp(join(tmpdir(), 'editor-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: browserProgram(),
    args: ARGUMENTS,
    headless: true,
    viewport: { width: options.width ?? 1400, height: options.height ?? 900 },
    deviceScaleFactor: options.scale ?? 1,
    locale: 'en-US',
  });
  // Node-RED 5 keeps the choice of theme in the browser; 4.1 has one theme only.
  await context.addInitScript((theme) => localStorage.setItem('view-dark-theme', theme), options.theme ?? 'light');
  const page = context.pages()[0] ?? (await context.newPage());
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.text().startsWith('Validation error')) errors.push(message.text());
  });
  page.on('response', (response) => {
    if (response.status() >= 400) errors.push(`${String(response.status())} ${response.url()}`);
  });

  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await page.goto(url);
    await page.waitForSelector('#red-ui-palette-container .red-ui-palette-node[data-palette-type="inject"]');
    await page.waitForSelector('#red-ui-loading-progress', { state: 'hidden' });
  } catch (failure) {
    await close();
    throw failure;
  }
  return { page, errors, close };
}

function browserProgram(): string {
  const given = process.env['CHROMIUM'];
  const found = given ?? KNOWN_PLACES.find((place) => existsSync(place));
  if (found === undefined) throw new Error('The browser tests need Chromium: set CHROMIUM to the path of its program.');
  return found;
}

/** Opens the edit dialog of a node and waits until it has come to rest. */
export async function openDialog(page: Page, nodeId: string): Promise<Locator> {
  await page.evaluate(`RED.editor.edit(RED.nodes.node(${JSON.stringify(nodeId)}))`);
  return dialogAtRest(page);
}

/** Opens the edit dialog of a config node. */
export async function openConfigDialog(page: Page, type: string, nodeId: string): Promise<Locator> {
  await page.evaluate(`RED.editor.editConfig('', ${JSON.stringify(type)}, ${JSON.stringify(nodeId)})`);
  return dialogAtRest(page);
}

async function dialogAtRest(page: Page): Promise<Locator> {
  const tray = page.locator('.red-ui-tray').last();
  await tray.locator('form.dialog-form, #dialog-form, #node-config-dialog-edit-form').first().waitFor();
  await page.waitForFunction(() => {
    const trays = [...document.querySelectorAll('.red-ui-tray')];
    return trays.every(
      (each) => each.getAnimations().length === 0 && each.getBoundingClientRect().right <= innerWidth + 1,
    );
  });
  await page.waitForTimeout(300);
  return tray;
}

/** Closes every open dialog without keeping what was typed. */
export async function cancelDialogs(page: Page): Promise<void> {
  while ((await page.locator('.red-ui-tray').count()) > 0) {
    const before = await page.locator('.red-ui-tray').count();
    await page.locator('.red-ui-tray').last().locator('#node-dialog-cancel, #node-config-dialog-cancel').click();
    await page.waitForFunction((count) => document.querySelectorAll('.red-ui-tray').length < count, before);
  }
}

/** A picture of an element, or of the page or a rectangle of it, in {@link SCREENSHOTS}. */
export async function picture(of: Page | Locator, name: string, clip?: Clip): Promise<void> {
  await mkdir(SCREENSHOTS, { recursive: true });
  const path = join(SCREENSHOTS, `${name}.png`);
  await ('goto' in of ? of.screenshot({ path, ...(clip && { clip }) }) : of.screenshot({ path }));
}

/** A rectangle of a page. */
type Clip = Record<'x' | 'y' | 'width' | 'height', number>;
