import type { Page } from '@playwright/test';
import { addExpense, centsOf, expect, expectAccessible, go, openComposer, signIn, test, unique } from './watched';

/** The accounts' balances as shown, by the account's name. */
async function balances(page: Page): Promise<Map<string, bigint>> {
  await go(page, 'Contas');
  const cards = page.getByRole('list', { name: 'Contas em uso' }).getByRole('listitem');
  await expect(cards.first()).toBeVisible();
  const rows = await cards.evaluateAll((all) =>
    all.map((card) => [card.querySelector('h2')?.textContent ?? '', card.querySelector('.account-balance')?.textContent ?? '']),
  );
  return new Map(rows.map(([name = '', balance = '']) => [name, centsOf(balance)]));
}

function row(page: Page, description: string) {
  return page.getByRole('listitem').filter({ has: page.getByRole('button', { name: description }).first() });
}

test('an expense changes the balance of its account by exactly its amount', async ({ page }) => {
  await signIn(page);
  const before = await balances(page);
  const description = unique('Livraria');
  const account = await addExpense(page, '1.234,56', description);
  const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: account, exact: true }) });
  const expected = (before.get(account) ?? 0n) - 123_456n;
  await expect.poll(async () => centsOf(await card.locator('.account-balance').innerText())).toBe(expected);

  const after = await balances(page);
  for (const [name, cents] of before) expect(after.get(name)).toBe(name === account ? expected : cents);
});

test('a transfer takes from one account what it gives to the other', async ({ page }) => {
  await signIn(page);
  const before = await balances(page);
  const description = unique('Reserva');
  const dialog = await openComposer(page);
  await dialog.getByRole('radio', { name: 'Transferência' }).check();
  await dialog.getByLabel('Valor').fill('0,07');
  await dialog.getByLabel('Descrição').fill(description);
  const from = await dialog.getByLabel('Da conta').locator('option:checked').innerText();
  const to = await dialog.getByLabel('Para a conta').locator('option:checked').innerText();
  await dialog.getByRole('button', { name: 'Adicionar' }).click();
  await expect(dialog).toBeHidden();
  expect(to).not.toBe(from);

  const expected = new Map(before);
  expected.set(from, (before.get(from) ?? 0n) - 7n);
  expected.set(to, (before.get(to) ?? 0n) + 7n);
  await expect.poll(() => balances(page)).toEqual(expected);

  // Either side opens as the same transfer, whose amount is one.
  await page.goto(`/transacoes?q=${encodeURIComponent(description)}`);
  await expect(page.getByRole('main').getByRole('listitem')).toHaveCount(2);
  await expect(page.getByText(`Para ${to}`)).toBeVisible();
  await page.getByRole('listitem').filter({ hasText: `De ${from}` }).getByRole('button', { name: description }).click();
  const edit = page.getByRole('dialog', { name: 'Editar transferência' });
  await expect(edit.getByLabel('Da conta').locator('option:checked')).toHaveText(from);
  await edit.getByLabel('Valor').fill('0,09');
  await edit.getByRole('button', { name: 'Salvar' }).click();
  await expect(page.getByText('−R$\u00a00,09')).toBeVisible();
  await expect(page.getByText('+R$\u00a00,09')).toBeVisible();
});

test('the list is filtered by what the address says', async ({ page }) => {
  await signIn(page);
  // A name nobody trades under: any other would have a category before one looks.
  const description = unique('Zuquim São José');
  await addExpense(page, '10,00', description);
  await go(page, 'Transações');

  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type(description.toLowerCase().replace('ã', 'a').replace('é', 'e'));
  await expect(page.getByRole('main').getByRole('listitem')).toHaveCount(1);
  await expect(row(page, description)).toBeVisible();
  await expect(page).toHaveURL(/[?&]q=zuquim/);

  await page.getByLabel('Só sem categoria').check();
  await expect(page).toHaveURL(/sem_categoria=1/);
  await page.reload();
  await expect(page.getByRole('searchbox')).toHaveValue(/zuquim/);
  await expect(page.getByLabel('Só sem categoria')).toBeChecked();
  await expect(page.getByRole('main').getByRole('listitem')).toHaveCount(1);

  await page.getByLabel('Até').fill('2001-01-01');
  await expect(page.getByRole('heading', { name: 'Nenhuma transação encontrada' })).toBeVisible();
  await page.getByRole('button', { name: 'Limpar filtros' }).click();
  await expect(page).toHaveURL(/\/transacoes$/);
  await expect(row(page, description)).toBeVisible();
});

test('more is read page by page, none twice', async ({ page }) => {
  await signIn(page);
  await go(page, 'Transações');
  const rows = page.getByRole('main').getByRole('listitem');
  await expect(rows).toHaveCount(50);
  await page.getByRole('button', { name: 'Carregar mais' }).click();
  await expect(rows).toHaveCount(100);

  const ids = new Set<string>();
  page.on('response', async (response) => {
    if (!response.url().includes('/api/transactions?')) return;
    for (const { id } of (await response.json()).items) ids.add(id);
  });
  await page.reload();
  await page.getByRole('button', { name: 'Carregar mais' }).click();
  await expect(rows).toHaveCount(100);
  await expect.poll(() => ids.size).toBe(100);
});

test('a category is changed by keyboard alone, and the change undone', async ({ page }) => {
  await signIn(page);
  const description = unique('Orvil Naxo');
  await addExpense(page, '25,90', description);
  await go(page, 'Transações');

  const cell = row(page, description).getByRole('button', { name: /Alterar$/ });
  await expect(cell).toHaveAccessibleName(/sem categoria/);
  await cell.focus();
  await page.keyboard.press('Enter');
  const picker = page.getByRole('combobox', { name: `Categoria de ${description}` });
  await expect(picker).toBeFocused();
  await expectAccessible(page);
  await page.keyboard.type('saude farm');
  await expect(page.getByRole('listbox', { name: 'Categorias' }).getByRole('option')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(cell).toHaveAccessibleName(/Saúde › Farmácia/);
  await expect(cell).toBeFocused();

  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await expect(cell).toBeFocused();
  await page.getByRole('status').getByRole('button', { name: 'Desfazer' }).click();
  await expect(cell).toHaveAccessibleName(/sem categoria/);
});

test('a transaction is split only when its parts sum', async ({ page }) => {
  await signIn(page);
  const description = unique('Atacadao');
  await addExpense(page, '100,00', description);
  await go(page, 'Transações');
  await row(page, description).getByRole('button', { name: description }).first().click();

  const dialog = page.getByRole('dialog', { name: 'Editar transação' });
  await dialog.getByRole('button', { name: 'Dividir' }).click();
  await dialog.getByRole('group', { name: 'Parte 1' }).getByLabel('Valor').fill('60,01');
  await expect(dialog.getByText('Falta distribuir R$\u00a039,99')).toBeVisible();
  await dialog.getByRole('group', { name: 'Parte 2' }).getByLabel('Valor').fill('40,00');
  await expect(dialog.getByText('Passou R$\u00a00,01 do valor')).toBeVisible();
  await dialog.getByRole('button', { name: 'Salvar' }).click();
  await expect(dialog.getByRole('alert').filter({ hasText: 'A soma das partes' })).toBeVisible();

  await dialog.getByRole('group', { name: 'Parte 2' }).getByLabel('Valor').fill('39,99');
  await expect(dialog.getByText('A soma confere')).toBeVisible();
  const category = dialog.getByRole('group', { name: 'Parte 2' }).getByRole('combobox', { name: 'Categoria' });
  await category.click();
  await category.fill('supermercado');
  await category.press('Enter');
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Salvar' }).click();
  await expect(dialog).toBeHidden();
  await expect(row(page, description).getByRole('button', { name: 'Dividida em 2' })).toBeVisible();
});

test('a deleted transaction comes back by undoing', async ({ page }) => {
  await signIn(page);
  const description = unique('Engano');
  await addExpense(page, '5,00', description);
  await go(page, 'Transações');
  await row(page, description).getByRole('button', { name: description }).first().click();
  await page.getByRole('dialog', { name: 'Editar transação' }).getByRole('button', { name: 'Excluir' }).click();
  await page.getByRole('dialog', { name: 'Excluir transação?' }).getByRole('button', { name: 'Excluir' }).click();
  await expect(row(page, description)).toBeHidden();
  await page.getByRole('status').getByRole('button', { name: 'Desfazer' }).click();
  await expect(row(page, description)).toBeVisible();
});
