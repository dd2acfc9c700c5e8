import type { Locator, Page } from '@playwright/test';
import { addExpense, eventually, expect, expectAccessible, go, newHousehold, test } from './watched';

/** Names nobody trades under, so that nothing but the person can know their category. */
const UNKNOWN = ['Zuquim Trevo', 'Orvil Naxo', 'Pelgu Xand'];

function items(page: Page): Locator {
  return page.getByRole('list', { name: 'Transações a revisar' }).getByRole('listitem');
}

/** The inbox of a new household with the three, once the background has looked at them. */
async function openInbox(page: Page): Promise<void> {
  await newHousehold(page);
  for (const name of UNKNOWN) await addExpense(page, '10,00', name);
  await go(page, 'Revisão');
  await eventually(page, () => expect(items(page)).toHaveCount(UNKNOWN.length, { timeout: 2_000 }));
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
