/** A page that is watched: whatever the console reports or the page asks of another host fails its test. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test as base, expect, type Page } from '@playwright/test';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What one test provokes on purpose, and so may be reported. */
type Watched = { allow: (pattern: RegExp) => void };

export const test = base.extend<{ watched: Watched }>({
  watched: [
    async ({ page, baseURL }, use) => {
      const found: string[] = [];
      const allowed: RegExp[] = [];
      const own = new URL(baseURL ?? '').host;
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') found.push(`console ${message.type()}: ${message.text()}`);
      });
      page.on('pageerror', (error) => found.push(`uncaught: ${error.message}`));
      page.on('request', (request) => {
        if (new URL(request.url()).host !== own) found.push(`foreign request: ${request.url()}`);
      });
      await use({ allow: (pattern) => allowed.push(pattern) });
      expect(found.filter((it) => !allowed.some((pattern) => pattern.test(it)))).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

export async function signIn(page: Page): Promise<void> {
  await page.goto('/entrar');
  await page.getByLabel('E-mail').fill(process.env.DEMO_EMAIL ?? 'demo@valoriza.local');
  await page.getByLabel('Senha').fill(process.env.DEMO_PASSWORD ?? 'demo-valoriza');
  await page.getByRole('button', { name: 'Entrar' }).click();
  await expect(page.getByRole('heading', { name: 'Visão geral' })).toBeVisible();
}

export async function go(page: Page, screen: string): Promise<void> {
  const navigation = page.getByRole('navigation', { name: 'Principal' });
  const link = navigation.getByRole('link', { name: screen });
  await expect(navigation).toBeVisible();
  // On a narrow page some screens are behind a button.
  if (!(await link.isVisible())) await navigation.getByRole('button', { name: 'Mais' }).click();
  await link.click();
  await expect(page.getByRole('heading', { name: screen, level: 1 })).toBeVisible();
}

/** A household of its own, with one account, for what would drown among the demo's transactions. */
export async function newHousehold(page: Page): Promise<void> {
  await page.goto('/criar-conta');
  await page.getByLabel('Seu nome').fill('Rita Teste');
  await page.getByLabel('E-mail').fill(`${unique('rita').replace(' ', '.')}@exemplo.com.br`);
  await page.getByLabel('Senha').fill('senha-bem-longa');
  await page.getByRole('button', { name: 'Criar conta' }).click();
  await go(page, 'Contas');
  await page.getByRole('button', { name: 'Nova conta' }).click();
  const dialog = page.getByRole('dialog', { name: 'Nova conta' });
  await dialog.getByLabel('Nome').fill('Carteira');
  await dialog.getByRole('button', { name: 'Criar conta' }).click();
  await expect(page.getByRole('heading', { name: 'Carteira' })).toBeVisible();
}

/** Adds an expense by the form and returns the name of the account it was taken from. */
export async function addExpense(page: Page, amount: string, description: string): Promise<string> {
  const dialog = await openComposer(page);
  await dialog.getByLabel('Valor').fill(amount);
  await dialog.getByLabel('Descrição').fill(description);
  const account = await dialog.getByLabel('Conta').locator('option:checked').innerText();
  await dialog.getByRole('button', { name: 'Adicionar' }).click();
  await expect(dialog).toBeHidden();
  return account;
}

/** Reloads until the background has done what `seen` looks for; the page itself does not follow it. */
export async function eventually(page: Page, seen: () => Promise<void>): Promise<void> {
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole('navigation', { name: 'Principal' })).toBeVisible();
    await expect(page.getByText('Carregando…')).toHaveCount(0);
    await seen();
  }).toPass({ timeout: 40_000 });
}

/** Opens the form by its key, as no field has the focus. */
export async function openComposer(page: Page) {
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'Nova transação' });
  await expect(dialog).toBeVisible();
  return dialog;
}

/** The rules of axe, which the policy of the page does not keep out as they come by the debugger. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axeSource);
  // What fades in has less contrast than it will have.
  await page.evaluate(async () => {
    const ending = document.getAnimations().filter((it) => it.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(ending.map((it) => it.finished));
  });
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: (options: object) => Promise<{ violations: AxeViolation[] }> } };
    const result = await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] });
    return result.violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(' ')}`);
  });
  expect(violations).toEqual([]);
}

type AxeViolation = { id: string; nodes: { html: string }[] };

/** Something no other run has written, so that tests do not depend on an empty household. */
export function unique(what: string): string {
  return `${what} ${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}`;
}

/** Reads `−R$ 1.234,56`; independent of the page's own arithmetic on purpose. */
export function centsOf(text: string): bigint {
  const digits = BigInt(text.replace(/\D/g, ''));
  return /^[-\u2212]/.test(text.trim()) ? -digits : digits;
}
