"""The size of pages."""

from airflow_zendesk.zendesk.page_size import PageSize


def test_reduced_page_is_halved_down_to_one_record() -> None:
    """A page of one record cannot be reduced."""
    page_size = PageSize()
    sizes = [page_size.per_page]
    while page_size.reduce(start_time=5):
        sizes.append(page_size.per_page)
    assert [1000, 500, 250, 125, 62, 31, 15, 7, 3, 1] == sizes


def test_page_size_recovers_after_one_page() -> None:
    """If one place only needs smaller pages, the next page is larger again."""
    page_size = PageSize()
    page_size.reduce(start_time=5)
    page_size.recover()
    assert 1000 == page_size.per_page


def test_more_places_that_need_smaller_pages_delay_the_recovery() -> None:
    """One page, then two, then four: never more than 32."""
    page_size = PageSize()
    delays = []
    for place in range(8):
        page_size.reduce(start_time=place)
        page_size.per_page = 500
        delays.append(0)
        while page_size.per_page == 500:
            page_size.recover()
            delays[-1] += 1
        page_size.per_page = 500
    assert [1, 2, 4, 8, 16, 32, 32, 32] == delays
