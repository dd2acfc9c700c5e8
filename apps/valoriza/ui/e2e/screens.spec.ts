import type { Page } from '@playwright/test';
import { expect, expectAccessible, go, openComposer, signIn, test, unique } from './watched';

const SCREENS = ['Visão geral', 'Transações', 'Revisão', 'Importar', 'Contas', 'Orçamentos', 'Categorias', 'Automações', 'Relatórios'];

async function settled(page: Page): Promise<void> {
  await expect(page.getByText('Carregando…')).toHaveCount(0);
}

async function expectNoOverflow(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
}

test('a new household budgets a category and sees its bar', async ({ page }) => {
  await page.goto('/criar-conta');
  await page.getByLabel('Seu nome').fill('Ana Teste');
  await page.getByLabel('E-mail').fill(`${unique('ana').replace(' ', '.')}@exemplo.com.br`);
  await page.getByLabel('Senha').fill('senha-bem-longa');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Criar conta' }).click();
  await expect(page.getByRole('heading', { name: 'Nenhum movimento neste mês' })).toBeVisible();

  await go(page, 'Contas');
  await page.getByRole('button', { name: 'Nova conta' }).click();
  const account = page.getByRole('dialog', { name: 'Nova conta' });
  await account.getByLabel('Nome').fill('Carteira');
  await account.getByLabel('Saldo inicial').fill('200');
  await account.getByRole('button', { name: 'Criar conta' }).click();
  await expect(page.getByRole('heading', { name: 'Carteira' })).toBeVisible();

  const transaction = await openComposer(page);
  await transaction.getByLabel('Valor').fill('30,00');
  await transaction.getByLabel('Descrição').fill('Cinema');
  await transaction.getByRole('combobox', { name: 'Categoria', exact: true }).fill('lazer cinema');
  await transaction.getByRole('combobox', { name: 'Categoria', exact: true }).press('Enter');
  await transaction.getByRole('button', { name: 'Adicionar' }).click();
  await expect(transaction).toBeHidden();
  await expect(page.getByText('R$\u00a0170,00').first()).toBeVisible();

  await go(page, 'Orçamentos');
  await page.getByRole('button', { name: 'Novo orçamento' }).click();
  const budget = page.getByRole('dialog', { name: /Novo orçamento/ });
  await budget.getByRole('combobox', { name: 'Categoria', exact: true }).fill('lazer');
  await budget.getByRole('combobox', { name: 'Categoria', exact: true }).press('Enter');
  await budget.getByLabel('Valor do mês').fill('120,00');
  await budget.getByRole('button', { name: 'Salvar' }).click();
  await expect(page.getByRole('img', { name: 'Lazer: 25% do orçamento' })).toBeVisible();
  await expect(page.getByText('R$\u00a090,00 restantes')).toBeVisible();
});

test('the session outlives a reload and ends by signing out', async ({ page }) => {
  await signIn(page);
  await page.goto('/contas');
  await expect(page.getByText('Saldo total')).toBeVisible();
  await page.getByRole('button', { name: 'Sair' }).click();
  await expect(page.getByRole('heading', { name: 'Entrar' })).toBeVisible();
  await page.goto('/contas');
  await expect(page.getByRole('heading', { name: 'Entrar' })).toBeVisible();
});

test('the keys are explained in the help', async ({ page }) => {
  await signIn(page);
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Ajuda e atalhos' });
  await expect(help.getByText('Nova transação')).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(help).toBeHidden();
});

test('at 360 px nothing is wider than the screen', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto('/entrar');
  await expectNoOverflow(page);
  await signIn(page);
  for (const screen of SCREENS) {
    await go(page, screen);
    await settled(page);
    await expectNoOverflow(page);
  }
  await page.getByRole('button', { name: 'Nova transação' }).click();
  const dialog = page.getByRole('dialog', { name: 'Nova transação' });
  expect(await dialog.evaluate((it) => it.scrollWidth - it.clientWidth)).toBe(0);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`every screen is accessible in ${colorScheme} mode`, async ({ page }, info) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await signIn(page);
    for (const screen of SCREENS) {
      await go(page, screen);
      await settled(page);
      await expectAccessible(page);
      await page.screenshot({ path: info.outputPath(`${screen}.png`) });
    }
  });
}
