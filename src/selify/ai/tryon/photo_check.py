"""Whether anybody can be dressed in a photo, and be judged afterwards, whichever engine dresses."""

from selify.ai.tryon.advice import several_people
from selify.ai.tryon.arrays import Bgr
from selify.ai.tryon.blur import refuse_if_blurred
from selify.ai.tryon.perception import Perception
from selify.ai.tryon.refusals import Refused
from selify.ai.tryon.skeleton import Skeleton, refuse_if_undressable
from selify.ai.types import GarmentCategory, RefusalCode, RenderWarning


def check_photo(
    perception: Perception, photo: Bgr, category: GarmentCategory
) -> tuple[RenderWarning, ...]:
    """Raises Refused for what no engine can mend. ``photo`` is upright and at working size."""
    faces = perception.upright_faces(photo)
    skeleton = Skeleton.of(perception.body(photo, faces))
    try:
        refuse_if_undressable(skeleton, photo.shape, category, faces)
    except Refused as refused:
        # That our own engine would not do well (trousers on somebody seated) says nothing of others.
        if refused.code is not RefusalCode.QUALITY_TOO_LOW:
            raise
    refuse_if_blurred(photo, skeleton)
    return (RenderWarning.SEVERAL_PEOPLE,) if several_people(faces) else ()
