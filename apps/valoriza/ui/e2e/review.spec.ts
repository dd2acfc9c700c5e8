import type { Locator, Page } from '@playwright/test';
import { addExpense, eventually, expect, expectAccessible, go, newHousehold, test } from './watched';

/** Names nobody trades under, so that nothing but the person can know their category. */
const UNKNOWN = ['Zuquim Trevo', 'Orvil Naxo', 'Pelgu Xand'];

function items(page: Page): Locator {
  return page.getByRole('list', { name: 'Transações a revisar' }).getByRole('listitem');
}

/** The inbox of a new household that bought there, once the background has looked at all of it. */
async function openInbox(page: Page, names: readonly string[] = UNKNOWN): Promise<void> {
  await newHousehold(page);
  for (const name of names) await addExpense(page, '10,00', name);
  await go(page, 'Revisão');
  await eventually(page, () => expect(items(page).filter({ has: page.locator('.confidence') })).toHaveCount(names.length, { timeout: 2_000 }));
}

/** The description of the item the keys act on. */
async function current(page: Page): Promise<string> {
  return page.locator('li[aria-current="true"] .row-description').innerText();
}

test('the inbox is worked through by keyboard, and what was learned is said and undone', async ({ page }) => {
  await openInbox(page);
  await expectAccessible(page);
  await expect(page.getByRole('navigation', { name: 'Principal' }).getByRole('link', { name: /Revisão 3/ })).toBeVisible();

  const first = await current(page);
  await page.keyboard.press('j');
  const second = await current(page);
  expect(second).not.toBe(first);
  await page.keyboard.press('k');
  expect(await current(page)).toBe(first);

  // A letter that is no command starts the category's name.
  await page.keyboard.press('v');
  const picker = page.getByRole('combobox', { name: `Categoria de ${first}` });
  await expect(picker).toBeFocused();
  await expect(picker).toHaveValue('v');
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await page.keyboard.press('c');
  await expect(picker).toHaveValue('');
  await page.keyboard.type('lazer hobb');
  await page.keyboard.press('Enter');
  await expect(items(page)).toHaveCount(2);
  const toast = page.getByRole('status').filter({ hasText: `${first}: Hobbies.` });
  await expect(toast).toContainText('De agora em diante');
  expect(await current(page)).toBe(second);

  await toast.getByRole('button', { name: 'Desfazer' }).click();
  await expect(items(page)).toHaveCount(3);
  expect(await current(page)).toBe(first);

  await page.keyboard.press('s');
  expect(await current(page)).not.toBe(first);
});

test('a suggestion says where it comes from and is accepted by one key', async ({ page }) => {
  await openInbox(page);
  const item = page.locator('li[aria-current="true"]');
  const description = await current(page);
  await expect(item.locator('.confidence')).toHaveText(/^(Quase certo|Muito provável|Provável|Possível|Palpite) · \d+%$/);
  await expect(item.locator('.why-reason')).not.toBeEmpty();
  const path = await item.locator('.review-category').innerText();
  await page.keyboard.press('a');
  await expect(items(page)).toHaveCount(2);
  // The next one has the focus, so that Enter accepts it.
  expect(await current(page)).not.toBe(description);
  await expect(item).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(items(page)).toHaveCount(1);
  await page.keyboard.press('z');
  await expect(items(page)).toHaveCount(2);

  await page.goto(`/transacoes?q=${encodeURIComponent(description)}`);
  const category = page.getByRole('main').getByRole('button', { name: /Alterar$/ });
  await expect(category).toHaveAccessibleName(new RegExp(path.trim()));
});

test('what is sure enough is accepted in one go, and that is undone as well', async ({ page }) => {
  // Words of two trades each: likely, but not sure.
  await openInbox(page, ['Academia livraria Xand', 'Clinica vet beleza']);
  await page.getByLabel('Confiança de pelo menos').selectOption('50%');
  await page.getByRole('button', { name: 'Aceitar 2 sugestões' }).click();
  await expect(page.getByRole('heading', { name: 'Tudo revisado' })).toBeVisible();
  await expectAccessible(page);
  await expect(page.getByRole('navigation', { name: 'Principal' }).getByRole('link', { name: 'Revisão', exact: true })).toBeVisible();
  await page.getByRole('status').getByRole('button', { name: 'Desfazer' }).click();
  await expect(items(page)).toHaveCount(2);
});

test('a correction for those alike is made and taken back for all of them', async ({ page }) => {
  await openInbox(page, ['Orvil Naxo', 'Pelgu Xand', 'Orvil Naxo']);
  await page.keyboard.press('p');
  await expect(page.getByRole('button', { name: 'Aplicar aos parecidos' })).toHaveAttribute('aria-pressed', 'true');
  expect(await current(page)).toBe('Orvil Naxo');
  await page.keyboard.press('c');
  await page.keyboard.type('lazer hobb');
  await page.keyboard.press('Enter');
  const toast = page.getByRole('status').filter({ hasText: 'Mais 1 transação mudou' });
  await expect(items(page)).toHaveCount(1);
  await toast.getByRole('button', { name: 'Desfazer' }).click();
  await expect(items(page)).toHaveCount(3);
});

test('the list says why a transaction has its category, and what is like it', async ({ page }) => {
  await newHousehold(page);
  await addExpense(page, '23,90', 'UBER *TRIP HELP.UBER.COM');
  await addExpense(page, '18,10', 'UBER *TRIP SAO PAULO');
  await page.goto('/transacoes');
  const rides = page.getByRole('listitem').filter({ hasText: 'UBER' });
  await eventually(page, () => expect(rides.filter({ hasText: 'Estabelecimento' })).toHaveCount(2, { timeout: 2_000 }));
  await rides.filter({ hasText: 'HELP' }).getByRole('button', { name: /^UBER/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Editar transação' });
  await expect(dialog.getByText(/UBER costuma ser/)).toBeVisible();
  await dialog.getByRole('button', { name: 'Parecidas com esta' }).click();
  await expect(dialog.getByRole('list', { name: 'Parecidas com esta' })).toContainText('SAO PAULO');
  await expectAccessible(page);
  await dialog.getByLabel('Etiquetas').fill('trabalho, viagem');
  await dialog.getByRole('button', { name: 'Salvar' }).click();
  await expect(dialog).toBeHidden();
  await expect(rides.filter({ hasText: 'HELP' })).toContainText('viagem');
});
