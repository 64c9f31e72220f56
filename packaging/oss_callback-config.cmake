# find_package(oss_callback CONFIG) gives oss_callback::shared and oss_callback::static.
#
# Everything is found from where this file lies, so that the whole tree may be moved.

get_filename_component(_oss_callback_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

find_path(_oss_callback_include oss_callback.h
    PATHS "${_oss_callback_prefix}/include" NO_DEFAULT_PATH NO_CACHE)
set(_oss_callback_folders "${_oss_callback_prefix}/lib" "${_oss_callback_prefix}/lib64"
    "${_oss_callback_prefix}/lib/${CMAKE_LIBRARY_ARCHITECTURE}")
find_library(_oss_callback_shared "${CMAKE_SHARED_LIBRARY_PREFIX}oss_callback${CMAKE_SHARED_LIBRARY_SUFFIX}"
    PATHS ${_oss_callback_folders} NO_DEFAULT_PATH NO_CACHE)
find_library(_oss_callback_static "${CMAKE_STATIC_LIBRARY_PREFIX}oss_callback${CMAKE_STATIC_LIBRARY_SUFFIX}"
    PATHS ${_oss_callback_folders} NO_DEFAULT_PATH NO_CACHE)

if(NOT _oss_callback_include OR NOT _oss_callback_shared OR NOT _oss_callback_static)
    set(oss_callback_FOUND FALSE)
    set(oss_callback_NOT_FOUND_MESSAGE "oss_callback.h or its libraries are missing below ${_oss_callback_prefix}")
else()
    if(NOT TARGET oss_callback::shared)
        add_library(oss_callback::shared SHARED IMPORTED)
        set_target_properties(oss_callback::shared PROPERTIES
            IMPORTED_LOCATION "${_oss_callback_shared}"
            INTERFACE_INCLUDE_DIRECTORIES "${_oss_callback_include}")
    endif()
    if(NOT TARGET oss_callback::static)
        add_library(oss_callback::static STATIC IMPORTED)
        set_target_properties(oss_callback::static PROPERTIES
            IMPORTED_LOCATION "${_oss_callback_static}"
            # What the Rust standard library calls; as in oss_callback.pc.
            INTERFACE_LINK_LIBRARIES "util;rt;pthread;m;dl"
            INTERFACE_INCLUDE_DIRECTORIES "${_oss_callback_include}")
    endif()
endif()

unset(_oss_callback_prefix)
unset(_oss_callback_folders)
unset(_oss_callback_include)
unset(_oss_callback_shared)
unset(_oss_callback_static)
