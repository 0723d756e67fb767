"""The fence around a brand: inside a tenant, whoever is not of a brand finds nothing of it.

Owns the rule that what is not the caller's looks like what does not exist. A caller for whom all
brands are alike passes without a question to anyone, which is how most requests come.
"""

from collections.abc import Callable, Collection, Sequence

from engarde_daemon.api.access import TRUST_S
from engarde_daemon.api.content.schemas import is_id
from engarde_daemon.api.memory import Remembered
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import EngardeError, FieldError, Forbidden, Invalid, NotFound
from engarde_daemon.ports.access import BrandDirectory
from engarde_daemon.ports.content import ContentKey
from engarde_daemon.ports.media import MediaLibrary
from engarde_daemon.ports.register import CampaignSpace, RegisterReader, SpaceKey

ITEMS_MAX = 10_000
SPACES_MAX = 10_000

NO_CONTENT = "There is no such content."
NO_BRAND = "There is no such brand."


class Fence:
    """Says what a caller may touch."""

    def __init__(
        self,
        brands: BrandDirectory,
        register: RegisterReader,
        media: MediaLibrary,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._brands = brands
        self._media = media
        self._brand_of_item = Remembered(
            self._find_item, clock=clock, for_s=TRUST_S, most=ITEMS_MAX
        )
        self._spaces = Remembered(
            register.campaign_space, clock=clock, for_s=TRUST_S, most=SPACES_MAX
        )

    async def brand(self, principal: Principal, wanted: str | None, required: Role) -> str:
        """The brand that a request is about, once the caller's role there was found to reach.

        Raises:
            NotFound: The brand is not the caller's, or the caller has none and names none.
            Forbidden: The caller's role in it does not reach that far.
            Unavailable: PostgreSQL does not answer.
        """
        brand_id = wanted or principal.brand_id
        if not is_id(brand_id):
            raise NotFound(NO_BRAND)
        require_role(principal, brand_id, required, missing=NO_BRAND)
        is_known = principal.brands is not None or brand_id == principal.brand_id
        if not is_known and not await self._brands.owns_brand(principal.tenant_id, brand_id):
            raise NotFound(NO_BRAND)
        return brand_id

    async def require_item(self, principal: Principal, content_id: str, required: Role) -> None:
        """Let pass who has this role in the brand of an item, be it live or trashed.

        Raises:
            NotFound: It does not exist, or is of a brand that is not the caller's.
            Forbidden: The caller's role does not reach that far there.
            Unavailable: PostgreSQL does not answer.
        """
        if principal.brands is None:
            return
        if not is_id(content_id):
            raise NotFound(NO_CONTENT)
        brand_id = await self._brand_of_item.of(ContentKey(principal.tenant_id, content_id))
        require_role(principal, brand_id, required, missing=NO_CONTENT)

    async def barred(
        self, principal: Principal, content_ids: Sequence[str], required: Role
    ) -> dict[str, EngardeError]:
        """What keeps the caller from each of these items, by id; open ones are not named.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        barred: dict[str, EngardeError] = {
            content_id: NotFound(NO_CONTENT) for content_id in content_ids if not is_id(content_id)
        }
        if principal.brands is None:
            return barred
        keys = [ContentKey(principal.tenant_id, i) for i in content_ids if i not in barred]
        brand_ids = await self._brands.brands_of(keys) if keys else []
        for key, brand_id in zip(keys, brand_ids, strict=True):
            try:
                require_role(principal, brand_id, required, missing=NO_CONTENT)
            except EngardeError as error:
                barred[key.content_id] = error
        return barred

    async def require_space(self, principal: Principal, space_id: str | None) -> None:
        """Let pass a campaign space that content of the caller may belong to, or none.

        Raises:
            Invalid: There is no such space for this caller.
            Unavailable: PostgreSQL does not answer.
        """
        if space_id is None:
            return
        space = await self._spaces.of(SpaceKey(principal.tenant_id, space_id))
        if space is None or not is_open(principal, space):
            raise Invalid([FieldError("campaign_space_id", "is no campaign space of yours")])

    async def require_media(self, principal: Principal, media_ids: Sequence[str]) -> None:
        """Let pass files that content of the caller may show.

        Raises:
            Invalid: Some of them are none of the caller's.
            Unavailable: PostgreSQL does not answer.
        """
        check_media(media_ids, await self.barred_media(principal, media_ids))

    async def barred_media(self, principal: Principal, media_ids: Collection[str]) -> set[str]:
        """Those of these ids that are no files of the caller's, or files that were not kept.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        if not media_ids:
            return set()
        found = await self._media.find(principal.tenant_id, list(media_ids))
        return {
            media_id
            for media_id in media_ids
            if (file := found.get(media_id)) is None
            or not file.is_kept
            or principal.role_in(file.brand_id) is None
        }

    async def _find_item(self, key: ContentKey) -> str | None:
        (brand_id,) = await self._brands.brands_of([key])
        return brand_id


def check_media(media_ids: Sequence[str], barred: Collection[str]) -> None:
    """Let pass files of which none is barred.

    Raises:
        Invalid: Some are; each is named by its place.
    """
    wrong = [
        FieldError(f"media[{place}]", "is no media file of yours")
        for place, media_id in enumerate(media_ids)
        if media_id in barred
    ]
    if wrong:
        raise Invalid(wrong)


def is_open(principal: Principal, space: CampaignSpace) -> bool:
    """Whether the caller may see a campaign space; one without a brand is every brand's."""
    return space.brand_id is None or principal.role_in(space.brand_id) is not None


def require_role(
    principal: Principal, brand_id: str | None, required: Role, *, missing: str
) -> None:
    """Let pass who has this role in a brand of theirs.

    Raises:
        NotFound: The brand is not the caller's; says `missing`.
        Forbidden: The caller's role does not reach that far there.
    """
    role = None if brand_id is None else principal.role_in(brand_id)
    if role is None:
        raise NotFound(missing)
    if not role.reaches(required):
        raise Forbidden(f"This needs the role {required} in the brand; yours there is {role}.")
